//! Decompressing and decoding one task.

use std::ops::Range;

use memchr::memmem;
use polars_buffer::Buffer;

use super::batch::{Batch, RowIndex};
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
    /// The bytes that the task holds, so that they can be used again.
    pub(super) fn into_bytes(self) -> Buffer<u8> {
        match self {
            Self::Blocks(blocks) => blocks.window,
            Self::Rows(rows) => rows.data,
            Self::Lost(_) => Buffer::new(),
        }
    }
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
        && let Some(marker) = memmem::find(data, &file.header.sync)
        && decompressor.decompress(codec, &data[..marker], &mut Vec::new(), file.limits.block_bytes).is_ok()
    {
        // Deflate does not say where its stream ends: a damaged size may have led to the marker of a later block.
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
    pub(super) file: &'a Opened,
    pub(super) plan: &'a Plan,
    pub(super) row_index: Option<&'a RowIndex>,
    pub(super) batch_rows: usize,
    pub(super) batch_bytes: usize,
    pub(super) counters: &'a Counters,
}

/// The batches of one task while they are made.
struct Output<'a> {
    decoder: &'a Decoder<'a>,
    record: Record,
    batches: Vec<Batch>,
    /// Number of the current batch's first row in the file, and bytes decoded into it.
    first_row: Option<u64>,
    bytes: usize,
}

/// Where a run of records is.
pub(super) struct Place<'a, 'd> {
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
    /// The rows of one task, in order.
    pub(super) fn decode(&self, task: &Task, scratch: &mut Scratch) -> Result<Vec<Batch>> {
        match task {
            Task::Blocks(Blocks { window, pieces }) => self.decode_blocks(window, pieces, scratch),
            Task::Rows(rows) => {
                let mut out = Output::new(self);
                out.record.reserve_rows(rows.n.min(rows.data.len() as u64) as usize);
                self.decode_rows(rows, &mut out)?;
                out.cut()?;
                Ok(out.batches)
            }
            Task::Lost(_) => Ok(Vec::new()),
        }
    }

    /// The rows of these blocks, in order.
    pub(super) fn decode_blocks(&self, window: &[u8], pieces: &[Piece], scratch: &mut Scratch) -> Result<Vec<Batch>> {
        let mut out = Output::new(self);
        for (i, piece) in pieces.iter().enumerate() {
            let bytes = &window[piece.range.clone()];
            let Scratch { decompressor, data, .. } = scratch;
            let own = decompress(bytes, &piece.frame, self.file, decompressor, data, self.counters)?;
            let data = if own { bytes } else { data };
            self.decode_block(piece, data, &mut out)?;
            if i == 0 {
                out.reserve(&pieces[1..], piece);
            }
        }
        out.cut()?;
        Ok(out.batches)
    }

    pub(super) fn decode_block<'t>(&self, piece: &'t Piece, data: &[u8], out: &mut impl Sink<'t>) -> Result<()> {
        let frame = &piece.frame;
        let room = data_end(data);
        let (record, pos, fault) = self.plan.walk(data, 0, piece.skip);
        if let Some(fault) = fault {
            return Err(self.record_fault(fault, frame, record));
        }
        let place = Place { frame, data, first_row: piece.first_row + piece.skip, record: piece.skip };
        let pos = out.rows(&place, pos, piece.take)?;
        if piece.skip + piece.take == frame.rows && pos != room {
            return Err(block_error(trailing(room - pos, frame.rows), frame, self.file));
        }
        Ok(())
    }

    pub(super) fn decode_rows<'t>(&self, rows: &'t Rows, out: &mut impl Sink<'t>) -> Result<()> {
        let Rows { frame, data, start, stop, last, first_row, record, n } = rows;
        let pos = out.rows(&Place { frame, data, first_row: *first_row, record: *record }, *start, *n)?;
        let room = data_end(data);
        if *last && pos != room {
            return Err(block_error(trailing(room - pos, frame.rows), frame, self.file));
        }
        if stop.is_some_and(|stop| stop != pos) {
            let error = Error::new(ErrorKind::Internal, "decoding and skipping disagree about where a record ends");
            return Err(block_error(error, frame, self.file));
        }
        Ok(())
    }

    /// Whether a batch ends here. It may be a quarter over, so that no task leaves a small one behind.
    pub(super) fn is_full(&self, rows: usize, bytes: usize) -> bool {
        rows >= self.batch_rows * 5 / 4 || bytes >= self.batch_bytes
    }

    /// What is wrong with a record, by its number in its block.
    pub(super) fn record_fault(&self, fault: Fault, frame: &BlockFrame, record: u64) -> Error {
        let error = fault.into_error().at(|position| position.record = Some(record));
        block_error(error, frame, self.file)
    }
}

#[cold]
fn trailing(bytes: usize, rows: u64) -> Error {
    Error::data(format!("{bytes} bytes are left behind the block's {rows} rows"))
}

impl<'a> Output<'a> {
    fn new(decoder: &'a Decoder<'a>) -> Self {
        let record = decoder.plan.record.clone();
        Self { decoder, record, batches: Vec::new(), first_row: None, bytes: 0 }
    }

    /// Makes room for the rows of the pieces behind `first`, as far as what it held makes their numbers likely.
    fn reserve(&mut self, rest: &[Piece], first: &Piece) {
        let claimed: u64 = rest.iter().map(|piece| piece.take).sum();
        let compressed: u64 = rest.iter().map(|piece| piece.range.len() as u64).sum();
        let likely = first.take.saturating_mul(compressed) / first.range.len() as u64;
        let room = (self.decoder.batch_rows * 5 / 4).saturating_sub(self.record.len());
        self.record.reserve_rows(claimed.min(likely.saturating_mul(2)).min(room as u64) as usize);
    }

    /// Ends the current batch, if there is anything in it.
    fn cut(&mut self) -> Result<()> {
        let Some(first_row) = self.first_row.take() else { return Ok(()) };
        self.bytes = 0;
        let (arrays, height) = self.record.finish_fields();
        let mut batch = Batch { fields: self.decoder.plan.fields.clone(), arrays, height };
        if let Some(index) = self.decoder.row_index {
            batch.insert_first(index.field(), index.array(first_row, height)?);
        }
        self.batches.push(batch);
        Ok(())
    }
}

impl<'a> Sink<'a> for Output<'_> {
    fn rows(&mut self, place: &Place<'a, '_>, mut pos: usize, n: u64) -> Result<usize> {
        let mut done = 0;
        while done < n {
            self.first_row.get_or_insert(place.first_row + done);
            let step = (n - done).min(STRIDE);
            let start = pos;
            pos = self.record.decode_rows(place.data, pos, step as usize).map_err(|(row, fault)| {
                self.decoder.record_fault(fault, place.frame, place.record + done + row as u64)
            })?;
            self.bytes += pos - start;
            done += step;
            add(&self.decoder.counters.rows_decoded, step);
            if self.decoder.is_full(self.record.len(), self.bytes) {
                self.cut()?;
            }
        }
        Ok(pos)
    }
}
