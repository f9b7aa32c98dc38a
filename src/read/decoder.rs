//! Decompressing and decoding blocks.

use memchr::memmem;

use super::batch::Extras;
use super::opened::Opened;
use super::portions::Portions;
use super::shortfall;
use super::stats::{Counters, add};
use super::task::{Part, Piece, Rows};
use crate::binary::{Fault, PADDING, data_end};
use crate::codec::Decompressor;
use crate::container::BlockFrame;
use crate::plan::Plan;
use crate::{Codec, Error, ErrorKind, Result};

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
    pub(super) data: Vec<u8>,
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
    pub(super) portions: Portions,
    pub(super) counters: &'a Counters,
}

impl Place<'_, '_> {
    /// Returns the error of the record after the first `before` ones, which begin at `pos` and are sound.
    #[cold]
    pub(super) fn record_fault(&self, fault: Fault, pos: usize, before: u64) -> Error {
        let Self { part, frame, data, record, .. } = *self;
        let (_, pos, _) = part.plan.walk(data, pos, before);
        record_fault(fault, &part.file, frame, record + before, (data, pos))
    }
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

/// Checks how many rows a block claims if they take no bytes: nothing else bounds them.
fn check_empty_rows(plan: &Plan, frame: &BlockFrame, file: &Opened) -> Result<()> {
    // Whether a block is good does not depend on the columns that are read.
    let row_values = plan.whole.as_deref().unwrap_or(plan).row_values as u64;
    if !plan.rows_are_empty() || frame.rows.saturating_mul(row_values) <= file.limits.zero_byte_items as u64 {
        return Ok(());
    }
    let message = format!("{} rows that take no bytes", frame.rows);
    Err(block_error(Error::limit("zero_byte_items", message), frame, file))
}

/// The wanted rows of a block.
pub(super) fn decode_block<'a>(part: &'a Part, piece: &'a Piece, data: &[u8], out: &mut impl Sink<'a>) -> Result<()> {
    let frame = &piece.frame;
    let room = data_end(data);
    check_empty_rows(&part.plan, frame, &part.file)?;
    let (record, pos, fault) = part.plan.walk(data, 0, piece.skip);
    if let Some(fault) = fault {
        return Err(record_fault(fault, &part.file, frame, record, (data, pos)));
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

/// Returns the error of a record, by its number in its block; `pos` is where it begins in `data`.
#[cold]
pub(super) fn record_fault(
    fault: Fault,
    file: &Opened,
    frame: &BlockFrame,
    record: u64,
    (data, pos): (&[u8], usize),
) -> Error {
    // What stands behind the data explains nothing.
    let short = shortfall::explain(&file.schemas.writer, data, pos);
    let error = short.unwrap_or_else(|| fault.into_error()).at(|position| position.record = Some(record));
    block_error(error, frame, file)
}

#[cold]
fn trailing(bytes: usize, rows: u64) -> Error {
    Error::data(format!("{bytes} bytes are left behind the block's {rows} rows"))
}
