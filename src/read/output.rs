//! Decoding tasks into batches.

use std::sync::Arc;

use super::batch::{Batch, Extras};
use super::decoder::{Decoder, Place, Scratch, Sink, decode_block, decode_rows, decompress};
use super::portions::Portions;
use super::stats::add;
use super::task::{Blocks, Part, Piece, Task};
use crate::Result;
use crate::decode::Record;
use crate::plan::Plan;

/// The batches of one run of tasks while they are made.
pub(super) struct Output<'a> {
    decoder: &'a Decoder<'a>,
    portions: Portions,
    plan: &'a Plan,
    record: Record,
    batches: Vec<Batch>,
    /// Number of the current batch's first row in the read, and bytes decoded into it.
    first_row: Option<u64>,
    bytes: usize,
    /// The files of the current batch's rows: number of the file, number of rows.
    files: Vec<(usize, usize)>,
    /// Whether there is room for the rows of the current batch.
    reserved: bool,
}

/// Notes that so many more rows of a batch are from this file.
pub(super) fn note_file(files: &mut Vec<(usize, usize)>, number: usize, rows: usize) {
    match files.last_mut() {
        Some((last, known)) if *last == number => *known += rows,
        _ => files.push((number, rows)),
    }
}

impl Decoder<'_> {
    /// The rows of several tasks, in order. Files that are read by the same plan share batches.
    pub(super) fn decode(&self, parts: &[Part], scratch: &mut Scratch) -> Result<Vec<Batch>> {
        let Some(first) = parts.first() else { return Ok(Vec::new()) };
        let mut out = Output::new(self, &first.plan);
        self.decode_parts(parts, scratch, &mut out)?;
        out.finish()
    }

    pub(super) fn decode_parts<'p>(
        &self,
        parts: &'p [Part],
        scratch: &mut Scratch,
        out: &mut Output<'p>,
    ) -> Result<()> {
        for (i, part) in parts.iter().enumerate() {
            out.follow(&part.plan)?;
            match &part.task {
                Task::Rows(rows) => {
                    out.record.reserve_rows(rows.n.min(rows.data.len() as u64) as usize);
                    decode_rows(part, rows, out)?;
                }
                Task::Blocks(Blocks { window, pieces, .. }) => {
                    self.decode_blocks(part, window, pieces, &parts[i + 1..], scratch, out)?;
                }
                Task::Lost(_) => {}
            }
        }
        Ok(())
    }

    /// The rows of some blocks of a part, with the columns of `plan`.
    pub(super) fn decode_pieces(
        &self,
        part: &Part,
        plan: &Plan,
        window: &[u8],
        pieces: &[Piece],
        scratch: &mut Scratch,
    ) -> Result<Vec<Batch>> {
        let mut out = Output::new(self, plan);
        self.decode_blocks(part, window, pieces, &[], scratch, &mut out)?;
        out.finish()
    }

    pub(super) fn decode_blocks(
        &self,
        part: &Part,
        window: &[u8],
        pieces: &[Piece],
        behind: &[Part],
        scratch: &mut Scratch,
        out: &mut Output<'_>,
    ) -> Result<()> {
        for (i, piece) in pieces.iter().enumerate() {
            let bytes = &window[piece.range.clone()];
            let Scratch { decompressor, data, .. } = scratch;
            let own = decompress(bytes, &piece.frame, &part.file, decompressor, data, self.counters)?;
            let data = if own { bytes } else { data };
            decode_block(part, piece, data, out)?;
            if !out.reserved {
                let same = behind.iter().take_while(|next| Arc::ptr_eq(&next.plan.fields, &part.plan.fields));
                out.reserve(pieces[i + 1..].iter().chain(same.flat_map(|next| next.task.pieces())), piece);
            }
        }
        Ok(())
    }
}

impl<'a> Output<'a> {
    pub(super) fn new(decoder: &'a Decoder<'a>, plan: &'a Plan) -> Self {
        let (record, batches, files) = (Record::clone(&plan.record), Vec::new(), Vec::new());
        let portions = decoder.portions.of_plan(plan);
        Self { decoder, portions, plan, record, batches, first_row: None, bytes: 0, files, reserved: false }
    }

    /// Goes on with rows of `plan`, in a batch of their own if it is another one.
    pub(super) fn follow(&mut self, plan: &'a Plan) -> Result<()> {
        if !Arc::ptr_eq(&self.plan.fields, &plan.fields) {
            self.cut()?;
            (self.plan, self.record) = (plan, Record::clone(&plan.record));
            self.portions = self.decoder.portions.of_plan(plan);
        }
        Ok(())
    }

    /// All batches, the last one as it is.
    pub(super) fn finish(mut self) -> Result<Vec<Batch>> {
        self.cut()?;
        Ok(self.batches)
    }

    /// Makes room for the rows of the pieces behind `first`, as far as what it held makes their numbers likely.
    fn reserve<'p>(&mut self, rest: impl Iterator<Item = &'p Piece>, first: &Piece) {
        let (claimed, compressed) = rest.fold((0_u64, 0_u64), |(claimed, compressed), piece| {
            (claimed.saturating_add(piece.take), compressed + piece.range.len() as u64)
        });
        let likely = first.take.saturating_mul(compressed) / first.range.len() as u64;
        let room = (self.portions.batch_rows * 5 / 4).saturating_sub(self.record.len());
        self.record.reserve_rows(claimed.min(likely.saturating_mul(2)).min(room as u64) as usize);
        self.reserved = true;
    }

    /// Ends the current batch, if there is anything in it.
    fn cut(&mut self) -> Result<()> {
        let Some(first_row) = self.first_row.take() else { return Ok(()) };
        let bytes = std::mem::take(&mut self.bytes);
        let (arrays, height) = self.record.finish_fields();
        let batch = Batch { fields: self.plan.fields.clone(), arrays, height, bytes };
        let Extras { row_index, .. } = self.decoder.extras;
        let index = row_index.as_ref().map(|index| index.array(first_row, height)).transpose()?;
        self.batches.push(self.decoder.extras.add_to(batch, index, &self.files));
        self.files.clear();
        self.reserved = false;
        Ok(())
    }
}

impl<'a> Sink<'a> for Output<'_> {
    fn rows(&mut self, place: &Place<'a, '_>, first: usize, n: u64) -> Result<usize> {
        let (mut pos, mut done) = (first, 0);
        let stride = self.portions.stride(self.plan);
        while done < n {
            self.first_row.get_or_insert(place.part.base + place.first_row + done);
            let step = (n - done).min(stride);
            let start = pos;
            let decoded = self.record.decode_rows(place.data, pos, step as usize);
            pos = decoded.map_err(|(row, fault)| place.record_fault(fault, first, done + row as u64))?;
            self.bytes += pos - start;
            done += step;
            note_file(&mut self.files, place.part.file.number, step as usize);
            add(&self.decoder.counters.rows_decoded, step);
            if self.portions.is_full(self.record.len(), self.bytes) {
                self.cut()?;
            }
        }
        Ok(pos)
    }
}
