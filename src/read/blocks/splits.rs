//! Splits a file by bytes: a block belongs to the range in which the sync marker before it begins. The marker before the
//! first block is that of the header.

use std::ops::Range;

use super::scanner::Found;
use super::{BlockWalk, SyncScanner};
use crate::container::SYNC_BYTES;
use crate::{Header, Result, Source};

/// Returns the byte range of the blocks whose preceding sync markers begin in `bytes`. Ranges that tile a file tile its
/// blocks.
pub(crate) fn blocks_in(
    bytes: &Range<u64>,
    source: &dyn Source,
    header: &Header,
    ignore_errors: bool,
) -> Result<Range<u64>> {
    let start = first_block(bytes.start, source, header, ignore_errors)?;
    let stop = first_block(bytes.end, source, header, ignore_errors)?;
    Ok(start..stop.max(start))
}

/// Returns the offset of the block that follows the first marker at or after `offset`.
fn first_block(offset: u64, source: &dyn Source, header: &Header, ignore_errors: bool) -> Result<u64> {
    let scanner = SyncScanner::new(source, &header.sync);
    if offset <= header.size - SYNC_BYTES as u64 {
        return Ok(header.size);
    }
    let Some(Found { offset: found, is_first }) = scanner.find(offset, u64::MAX)? else { return Ok(source.size()) };
    if is_first {
        return Ok(found);
    }
    // Either the block is damaged and reading it must report that, or the marker is part of a value. Only a walk over the
    // block headers before it can decide.
    if ignore_errors {
        return Ok(found.min(walk_past_damage(offset.saturating_add(SYNC_BYTES as u64), source, header)?.0));
    }
    let mut walk = BlockWalk::new(header);
    while let Some(frame) = walk.next_frame(source)? {
        if frame.data.end >= offset {
            return Ok(frame.end());
        }
    }
    Ok(source.size())
}

/// Walks from the first block to the first one at or after `stop`, and skips damage. Returns its offset and index.
pub(super) fn walk_past_damage(stop: u64, source: &dyn Source, header: &Header) -> Result<(u64, u64)> {
    let scanner = SyncScanner::new(source, &header.sync);
    let (mut offset, mut index) = (header.size, 0);
    while offset < stop.min(source.size()) {
        offset = match scanner.block(offset)? {
            Some(frame) => frame.end(),
            None => scanner.find(offset, u64::MAX)?.map_or(source.size(), |found| found.offset),
        };
        index += 1;
    }
    Ok((offset, index))
}
