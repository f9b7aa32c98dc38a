//! Decoding a task in two phases: the columns that a filter looks at, then every column of the rows that pass.
//!
//! The first phase keeps the decompressed blocks and where their records begin, so that the second one does not walk over
//! what did not pass.

use std::borrow::Cow;
use std::ops::Range;

use polars_arrow::bitmap::Bitmap;

use super::batch::Batch;
use super::filter::Filter;
use super::stats::add;
use super::task::{Blocks, Decoder, Place, STRIDE, Scratch, Sink, Task, decompress};
use crate::Result;
use crate::container::BlockFrame;
use crate::decode::Record;

/// Rows that the filter has not been asked about, and the batches of those that passed.
struct Candidates<'a> {
    decoder: &'a Decoder<'a>,
    filter: &'a Filter,
    tested: Record,
    wanted: Record,
    /// Number of the first row in the file.
    first_row: Option<u64>,
    /// Where every row begins in its block's data.
    starts: Vec<usize>,
    runs: Vec<Run<'a>>,
    /// The data of all blocks but the last, which is being decoded still.
    blocks: Vec<Cow<'a, [u8]>>,
    bytes: usize,
    /// Memory for decompressed blocks.
    spare: Vec<Vec<u8>>,
    batches: Vec<Batch>,
}

/// Consecutive rows of one block.
struct Run<'a> {
    frame: &'a BlockFrame,
    block: usize,
    /// Number of the first one in its block.
    record: u64,
    /// Which of the candidates they are.
    rows: Range<usize>,
}

/// Those rows of one task that pass, or more of them, in order.
pub(super) fn decode(decoder: &Decoder<'_>, filter: &Filter, task: &Task, scratch: &mut Scratch) -> Result<Vec<Batch>> {
    let spare = std::mem::take(&mut scratch.blocks);
    let (tested, wanted) = (filter.tested.record.clone(), filter.wanted.clone());
    let (first_row, starts, runs, blocks, bytes, batches) = <_>::default();
    let mut rows =
        Candidates { decoder, filter, tested, wanted, first_row, starts, runs, blocks, bytes, spare, batches };
    match task {
        Task::Rows(run) => {
            decoder.decode_rows(run, &mut rows)?;
            rows.blocks.push(Cow::Borrowed(&run.data));
        }
        Task::Blocks(Blocks { window, pieces }) => {
            for piece in pieces {
                let bytes = &window[piece.range.clone()];
                let mut data = rows.spare.pop().unwrap_or_default();
                let decompressor = &mut scratch.decompressor;
                let own = decompress(bytes, &piece.frame, decoder.file, decompressor, &mut data, decoder.counters)?;
                let data = if own { Cow::Borrowed(bytes) } else { Cow::Owned(data) };
                decoder.decode_block(piece, &data, &mut rows)?;
                rows.blocks.push(data);
            }
        }
        Task::Lost(_) => {}
    }
    rows.ask(&[])?;
    scratch.blocks = rows.spare;
    Ok(rows.batches)
}

impl<'a> Sink<'a> for Candidates<'a> {
    fn rows(&mut self, place: &Place<'a, '_>, mut pos: usize, n: u64) -> Result<usize> {
        let mut done = 0;
        while done < n {
            self.first_row.get_or_insert(place.first_row + done);
            let (step, start, record) = ((n - done).min(STRIDE), pos, place.record + done);
            let rows = self.starts.len()..self.starts.len() + step as usize;
            self.runs.push(Run { frame: place.frame, block: self.blocks.len(), record, rows });
            let decoded = self.tested.decode_noting(place.data, pos, step as usize, &mut self.starts);
            pos = decoded.map_err(|(row, fault)| self.decoder.record_fault(fault, place.frame, record + row as u64))?;
            self.bytes += pos - start;
            done += step;
            if self.decoder.is_full(self.starts.len(), self.bytes) {
                self.ask(place.data)?;
            }
        }
        Ok(pos)
    }
}

impl Candidates<'_> {
    /// Asks the filter about all rows so far and decodes those that pass; `last` is the data of the last block, unless
    /// that is with the others.
    fn ask(&mut self, last: &[u8]) -> Result<()> {
        let Some(first_row) = self.first_row.take() else { return Ok(()) };
        let Decoder { row_index, counters, plan, .. } = *self.decoder;
        let passed = self.filter.test(&mut self.tested, first_row, row_index)?;
        let height = passed.set_bits();
        add(&counters.rows_tested, passed.len() as u64);
        add(&counters.rows_filtered, (passed.len() - height) as u64);
        add(&counters.rows_decoded, height as u64);
        self.decode(&passed, last)?;
        self.runs.clear();
        self.starts.clear();
        self.bytes = 0;
        self.spare.extend(self.blocks.drain(..).filter_map(|data| match data {
            Cow::Owned(memory) => Some(memory),
            Cow::Borrowed(_) => None,
        }));
        if height > 0 {
            let (arrays, height) = self.wanted.finish_fields();
            let mut batch = Batch { fields: plan.fields.clone(), arrays, height };
            if let Some(index) = row_index {
                batch.insert_first(index.field(), index.of_set(first_row, &passed)?);
            }
            self.batches.push(batch);
        }
        Ok(())
    }

    /// Decodes every wanted column of the rows that passed.
    fn decode(&mut self, passed: &Bitmap, last: &[u8]) -> Result<()> {
        self.wanted.reserve_rows(passed.set_bits());
        for Run { frame, block, record, rows } in &self.runs {
            let data = self.blocks.get(*block).map_or(last, |data| data);
            let starts = &self.starts[rows.clone()];
            let passed = passed.clone().sliced(rows.start, rows.len());
            self.wanted.decode_at(data, passed.set_bits(), passed.true_idx_iter().map(|row| starts[row])).map_err(
                |(nth, fault)| {
                    let row = passed.true_idx_iter().nth(nth).unwrap_or_default();
                    self.decoder.record_fault(fault, frame, record + row as u64)
                },
            )?;
        }
        Ok(())
    }
}
