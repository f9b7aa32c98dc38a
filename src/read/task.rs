//! Decompressing and decoding one task.

use std::ops::Range;
use std::sync::Arc;

use memchr::memmem;
use polars_buffer::Buffer;

use super::batch::{Batch, Extras};
use super::file::Opened;
use super::salvage::BadBlock;
use super::stats::{Counters, add};
use crate::binary::{Fault, PADDING, data_end};
use crate::codec::Decompressor;
use crate::container::BlockFrame;
use crate::decode::Record;
use crate::plan::Plan;
use crate::{Codec, Error, ErrorKind, Result};

/// Something that one thread decodes.
pub(super) enum Task {
    /// Whole blocks.
    Blocks(Blocks),
    /// Some records of a large block.
    Rows(Rows),
    /// No rows: a report.
    Lost(BadBlock),
}

impl Task {
    /// The blocks of it, if it is whole ones.
    fn pieces(&self) -> &[Piece] {
        match self {
            Self::Blocks(blocks) => &blocks.pieces,
            Self::Rows(_) | Self::Lost(_) => &[],
        }
    }

    /// The bytes that the task holds, so that they can be used again.
    pub(super) fn into_bytes(self) -> Buffer<u8> {
        match self {
            Self::Blocks(blocks) => blocks.window,
            Self::Rows(rows) => rows.data,
            Self::Lost(_) => Buffer::new(),
        }
    }
}

/// A task of one of the files of a read.
pub(super) struct Part {
    pub(super) file: Arc<Opened>,
    pub(super) plan: Plan,
    /// Number of the file's first row in the read.
    pub(super) base: u64,
    pub(super) task: Task,
}

/// What a task becomes.
pub(super) enum Item {
    Batch(Batch),
    /// Rows that are left out stood here.
    Lost(BadBlock),
}

/// Blocks that stand one behind the other.
pub(super) struct Blocks {
    pub(super) window: Buffer<u8>,
    pub(super) pieces: Vec<Piece>,
    /// Where the part of the file ends that is read.
    pub(super) stop: u64,
}

/// One block.
pub(super) struct Piece {
    pub(super) frame: BlockFrame,
    /// Where the block's data and sync marker are in the window.
    pub(super) range: Range<usize>,
    /// Number of the block's first row in the file.
    pub(super) first_row: u64,
    /// Rows to leave out, then rows to take.
    pub(super) skip: u64,
    pub(super) take: u64,
}

/// A run of records inside a decompressed block.
pub(super) struct Rows {
    pub(super) frame: BlockFrame,
    pub(super) data: Buffer<u8>,
    pub(super) start: usize,
    /// Where the run ends; `None` where it cannot be decoded to its end.
    pub(super) stop: Option<usize>,
    /// Whether the block ends with this run.
    pub(super) last: bool,
    pub(super) first_row: u64,
    /// Number of the first record in its block.
    pub(super) record: u64,
    pub(super) n: u64,
}

/// Adds to an error which block it is about.
pub(super) fn block_error(error: Error, frame: &BlockFrame, file: &Opened) -> Error {
    error.in_file(file.source.name()).at(|position| {
        position.block.get_or_insert(frame.index);
        position.offset.get_or_insert(frame.offset);
    })
}

/// Makes the data of a block, whose bytes end in a sync marker, ready to decode, with padding behind it. Gives `true`
/// where the bytes are that already, the sync marker being the padding, and nothing was written to `out`.
pub(super) fn decompress(
    bytes: &[u8],
    frame: &BlockFrame,
    file: &Opened,
    decompressor: &mut Decompressor,
    out: &mut Vec<u8>,
    counters: &Counters,
) -> Result<bool> {
    let (data, sync) = bytes.split_at(bytes.len().saturating_sub(PADDING));
    let error = |error| block_error(error, frame, file);
    frame.check_sync(sync, &file.header.sync).map_err(error)?;
    let codec = file.header.codec;
    if codec == Codec::Null || (data.is_empty() && frame.rows == 0) {
        add(&counters.bytes_decoded, data.len() as u64);
        return Ok(true);
    }
    decompressor.decompress(codec, data, out, file.limits.block_bytes).map_err(error)?;
    if codec == Codec::Deflate
        && let Some(marker) = memmem::rfind(data, &file.header.sync)
        && decompressor.decompress(codec, &data[..marker], &mut Vec::new(), file.limits.block_bytes).is_ok()
    {
        // Deflate does not say where its stream ends: a damaged size may have led to the marker of a later block. If so,
        // the stream is whole before the last marker inside, whatever holds those before it.
        return Err(error(Error::data("a block ends inside the block: its size is wrong")));
    }
    add(&counters.blocks_decompressed, 1);
    add(&counters.bytes_decoded, out.len() as u64);
    out.extend_from_slice(&[0; PADDING]);
    Ok(false)
}

/// What threads reuse from one task to the next.
pub(super) struct Scratch {
    pub(super) decompressor: Decompressor,
    data: Vec<u8>,
    /// Memory of blocks that a filter had to wait for.
    pub(super) blocks: Vec<Vec<u8>>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { decompressor: Decompressor::new(), data: Vec::new(), blocks: Vec::new() }
    }
}

/// Decodes tasks of one read.
#[derive(Clone, Copy)]
pub(super) struct Decoder<'a> {
    pub(super) extras: &'a Extras,
    pub(super) batch_rows: usize,
    pub(super) batch_bytes: usize,
    pub(super) counters: &'a Counters,
}

/// The batches of one run of tasks while they are made.
pub(super) struct Output<'a> {
    decoder: &'a Decoder<'a>,
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

/// Where a run of records is.
pub(super) struct Place<'a, 'd> {
    pub(super) part: &'a Part,
    pub(super) frame: &'a BlockFrame,
    pub(super) data: &'d [u8],
    pub(super) first_row: u64,
    pub(super) record: u64,
}

/// What takes runs of records, all rows of a task in order.
pub(super) trait Sink<'a> {
    /// Decodes `n` records from `pos` on; gives the position behind them.
    fn rows(&mut self, place: &Place<'a, '_>, pos: usize, n: u64) -> Result<usize>;
}

/// Records decoded between two looks at a batch's size.
pub(super) const STRIDE: u64 = 4096;

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

    /// Whether a batch ends here. It may be a quarter over, so that no task leaves a small one behind.
    pub(super) fn is_full(&self, rows: usize, bytes: usize) -> bool {
        rows >= self.batch_rows * 5 / 4 || bytes >= self.batch_bytes
    }
}

/// The wanted rows of a block.
pub(super) fn decode_block<'a>(part: &'a Part, piece: &'a Piece, data: &[u8], out: &mut impl Sink<'a>) -> Result<()> {
    let frame = &piece.frame;
    let room = data_end(data);
    let (record, pos, fault) = part.plan.walk(data, 0, piece.skip);
    if let Some(fault) = fault {
        return Err(record_fault(fault, part, frame, record));
    }
    let place = Place { part, frame, data, first_row: piece.first_row + piece.skip, record: piece.skip };
    let pos = out.rows(&place, pos, piece.take)?;
    if piece.skip + piece.take == frame.rows && pos != room {
        return Err(block_error(trailing(room - pos, frame.rows), frame, &part.file));
    }
    Ok(())
}

/// A run of records inside a block.
pub(super) fn decode_rows<'a>(part: &'a Part, rows: &'a Rows, out: &mut impl Sink<'a>) -> Result<()> {
    let Rows { frame, data, start, stop, last, first_row, record, n } = rows;
    let pos = out.rows(&Place { part, frame, data, first_row: *first_row, record: *record }, *start, *n)?;
    let room = data_end(data);
    if *last && pos != room {
        return Err(block_error(trailing(room - pos, frame.rows), frame, &part.file));
    }
    if stop.is_some_and(|stop| stop != pos) {
        let error = Error::new(ErrorKind::Internal, "decoding and skipping disagree about where a record ends");
        return Err(block_error(error, frame, &part.file));
    }
    Ok(())
}

/// What is wrong with a record, by its number in its block.
pub(super) fn record_fault(fault: Fault, part: &Part, frame: &BlockFrame, record: u64) -> Error {
    let error = fault.into_error().at(|position| position.record = Some(record));
    block_error(error, frame, &part.file)
}

/// Notes that so many more rows of a batch are from this file.
pub(super) fn note_file(files: &mut Vec<(usize, usize)>, number: usize, rows: usize) {
    match files.last_mut() {
        Some((last, known)) if *last == number => *known += rows,
        _ => files.push((number, rows)),
    }
}

#[cold]
fn trailing(bytes: usize, rows: u64) -> Error {
    Error::data(format!("{bytes} bytes are left behind the block's {rows} rows"))
}

impl<'a> Output<'a> {
    pub(super) fn new(decoder: &'a Decoder<'a>, plan: &'a Plan) -> Self {
        let (record, batches, files) = (Record::clone(&plan.record), Vec::new(), Vec::new());
        Self { decoder, plan, record, batches, first_row: None, bytes: 0, files, reserved: false }
    }

    /// Goes on with rows of `plan`, in a batch of their own if it is another one.
    pub(super) fn follow(&mut self, plan: &'a Plan) -> Result<()> {
        if !Arc::ptr_eq(&self.plan.fields, &plan.fields) {
            self.cut()?;
            (self.plan, self.record) = (plan, Record::clone(&plan.record));
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
        let room = (self.decoder.batch_rows * 5 / 4).saturating_sub(self.record.len());
        self.record.reserve_rows(claimed.min(likely.saturating_mul(2)).min(room as u64) as usize);
        self.reserved = true;
    }

    /// Ends the current batch, if there is anything in it.
    fn cut(&mut self) -> Result<()> {
        let Some(first_row) = self.first_row.take() else { return Ok(()) };
        self.bytes = 0;
        let (arrays, height) = self.record.finish_fields();
        let batch = Batch { fields: self.plan.fields.clone(), arrays, height };
        let Extras { row_index, .. } = self.decoder.extras;
        let index = row_index.as_ref().map(|index| index.array(first_row, height)).transpose()?;
        self.batches.push(self.decoder.extras.add_to(batch, index, &self.files));
        self.files.clear();
        self.reserved = false;
        Ok(())
    }
}

impl<'a> Sink<'a> for Output<'_> {
    fn rows(&mut self, place: &Place<'a, '_>, mut pos: usize, n: u64) -> Result<usize> {
        let mut done = 0;
        while done < n {
            self.first_row.get_or_insert(place.part.base + place.first_row + done);
            let step = (n - done).min(STRIDE);
            let start = pos;
            pos = self.record.decode_rows(place.data, pos, step as usize).map_err(|(row, fault)| {
                record_fault(fault, place.part, place.frame, place.record + done + row as u64)
            })?;
            self.bytes += pos - start;
            done += step;
            note_file(&mut self.files, place.part.file.number, step as usize);
            add(&self.decoder.counters.rows_decoded, step);
            if self.decoder.is_full(self.record.len(), self.bytes) {
                self.cut()?;
            }
        }
        Ok(pos)
    }
}
