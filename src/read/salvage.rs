//! Reading on behind damage, where the caller wants that.
//!
//! A block is lost whole, whatever of it could be decoded: rows of the one block that did not come to its end are no better
//! known than the rest of it. Whether a block is lost does not depend on the columns that are read, so every query sees
//! the same rows.

use std::ops::Range;

use memchr::memmem::Finder;

use super::batch::{Batch, RowIndex};
use super::file::Opened;
use super::stats::Counters;
use super::task::{Decoder, Item, Piece, Scratch};
use crate::container::{BlockFrame, SYNC_BYTES};
use crate::plan::Plan;
use crate::{Codec, Error, ErrorKind, Result};

/// A block, or a stretch of a file in which no block could be found, that was left out.
#[derive(Debug)]
#[non_exhaustive]
pub struct BadBlock {
    /// What is wrong, and where: the position has the file, the block's number and its offset.
    pub error: Error,
    /// How many rows were lost, by the block's own header; `None` where the header is damaged too.
    pub rows_lost: Option<u64>,
}

impl BadBlock {
    pub(super) fn new(error: Error, frame: Option<&BlockFrame>, file: &Opened) -> Self {
        let rows_lost = frame.map(|frame| frame.rows).filter(|&rows| {
            // A count that the block cannot hold is part of the damage.
            let bytes = frame.map_or(0, |frame| frame.data.end - frame.data.start);
            rows <= if file.header.codec == Codec::Null { bytes } else { file.limits.block_bytes as u64 }
        });
        Self { error, rows_lost }
    }
}

/// Whether an error is about the bytes of a block, and not about reading them.
pub(super) fn is_damage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Data | ErrorKind::Limit | ErrorKind::Unsupported)
}

/// Decodes the sound blocks of a task.
pub(super) struct Salvage<'a> {
    pub(super) decoder: Decoder<'a>,
    /// The plan for all columns, where other columns are wanted: what is damaged is found by decoding everything.
    pub(super) whole: Option<&'a Plan>,
    /// Where the part of the file ends that is read.
    pub(super) stop: u64,
    /// The blocks stand inside a bad one: their own insides are not searched again.
    pub(super) inside: bool,
}

impl Salvage<'_> {
    /// The rows of the task's sound blocks and a report on every other one, in order.
    pub(super) fn decode(&self, window: &[u8], pieces: &[Piece], scratch: &mut Scratch) -> Result<Vec<Item>> {
        let (mut items, mut rest) = (Vec::new(), pieces);
        while !rest.is_empty() {
            let (good, error) = match self.decode_all(window, rest, scratch) {
                Ok(batches) => {
                    items.extend(batches.into_iter().map(Item::Batch));
                    break;
                }
                Err((_, error)) if !is_damage(&error) => return Err(error),
                Err(fault) => fault,
            };
            // A block that fails behind others is tried again on its own: limits count over a whole batch.
            if good == 0 {
                items.push(Item::Lost(BadBlock::new(error, Some(&rest[0].frame), self.decoder.file)));
                if !self.inside {
                    let swallowed = swallowed(&rest[0], window, self.stop, self.decoder.file);
                    let inside = Self { inside: true, ..*self };
                    items.extend(inside.decode(window, &swallowed, scratch)?);
                }
                rest = &rest[1..];
            } else {
                let batches = self.decoder.decode_blocks(window, &rest[..good], scratch)?;
                items.extend(batches.into_iter().map(Item::Batch));
                rest = &rest[good..];
            }
        }
        Ok(items)
    }

    /// The rows of all blocks, or how many are good before the first bad one, and what is wrong with it.
    fn decode_all(
        &self,
        window: &[u8],
        pieces: &[Piece],
        scratch: &mut Scratch,
    ) -> std::result::Result<Vec<Batch>, (usize, Error)> {
        if let Some(plan) = self.whole {
            let counters = &Counters::default();
            let whole = Decoder { plan, counters, ..self.decoder };
            for (good, piece) in pieces.iter().enumerate() {
                whole.decode_blocks(window, std::slice::from_ref(piece), scratch).map_err(|error| (good, error))?;
            }
        }
        self.decoder.decode_blocks(window, pieces, scratch).map_err(|error| {
            let bad = error.position().offset;
            (pieces.iter().position(|piece| Some(piece.frame.offset) == bad).unwrap_or(0), error)
        })
    }
}

/// The sound blocks inside a bad one that begin before `stop`: a size that is damaged may lead to the marker of a later
/// block by chance.
fn swallowed(bad: &Piece, window: &[u8], stop: u64, file: &Opened) -> Vec<Piece> {
    let (sync, size) = (&file.header.sync, file.source.size());
    let data = &window[bad.range.clone()];
    let finder = Finder::new(sync);
    let (mut pos, mut pieces) = (0, Vec::new());
    while let Some(found) = finder.find(&data[pos..]) {
        pos += found + SYNC_BYTES;
        while pos < data.len() {
            let offset = bad.frame.data.start + pos as u64;
            let Ok(Some(frame)) = BlockFrame::parse(&data[pos..], bad.frame.index, offset, size) else { break };
            let (first, last) = (frame.data.start - bad.frame.data.start, frame.end() - bad.frame.data.start);
            let marker = usize::try_from(last).ok().and_then(|last| data.get(last - SYNC_BYTES..last));
            if marker != Some(sync) || offset >= stop {
                break;
            }
            let range = bad.range.start + first as usize..bad.range.start + last as usize;
            pieces.push(Piece { first_row: 0, range, skip: 0, take: frame.rows, frame });
            pos = last as usize;
        }
    }
    pieces
}

/// What the consumer does with rows whose numbers nobody knew before: which blocks are lost shows as they are decoded.
pub(super) struct Numbering {
    /// The rows that are wanted, and the number of the next.
    pub(super) wanted: Range<u64>,
    pub(super) row: u64,
    pub(super) index: Option<RowIndex>,
}

impl Numbering {
    /// Whether no row that may come is wanted.
    pub(super) fn is_done(&self) -> bool {
        self.row >= self.wanted.end
    }

    /// What is wanted of the next batch, if anything is.
    pub(super) fn number(&mut self, mut batch: Batch) -> Result<Option<Batch>> {
        let first = self.row;
        let behind = first.saturating_add(batch.height as u64);
        self.row = behind;
        let start = self.wanted.start.max(first);
        let stop = self.wanted.end.min(behind);
        if start >= stop {
            return Ok(None);
        }
        let (skip, height) = ((start - first) as usize, (stop - start) as usize);
        if height < batch.height {
            batch.arrays.iter_mut().for_each(|array| array.slice(skip, height));
            batch.height = height;
        }
        if let Some(index) = &self.index {
            batch.insert_first(index.field(), index.array(start, height)?);
        }
        Ok(Some(batch))
    }
}
