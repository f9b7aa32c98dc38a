//! Parts of a file by bytes: every block belongs to the part that has the marker in front of it, be it the header's.

use std::ops::Range;

use super::opened::Opened;
use crate::Result;
use crate::container::{BlockWalk, Finding, SYNC_BYTES};

/// From where to where the blocks stand whose markers begin in `bytes`. Ranges that tile a file tile its blocks.
pub(super) fn blocks(file: &Opened, bytes: &Range<u64>, salvage: bool) -> Result<Range<u64>> {
    let start = first_block(file, bytes.start, salvage)?;
    let stop = first_block(file, bytes.end, salvage)?;
    Ok(start..stop.max(start))
}

/// Where the block begins that follows the first marker at or behind `offset`.
fn first_block(file: &Opened, offset: u64, salvage: bool) -> Result<u64> {
    let Opened { source, header, .. } = file;
    let (source, finding) = (&**source, Finding::new(&**source, &header.sync));
    if offset <= header.size - SYNC_BYTES as u64 {
        return Ok(header.size);
    }
    if salvage {
        return finding.sound_block(offset);
    }
    let Some(marker) = finding.marker(offset)? else { return Ok(source.size()) };
    let block = marker + SYNC_BYTES as u64;
    if finding.is_sound(block)? {
        return Ok(block);
    }
    // Either the block is damaged, which reading it must show, or the marker is a part of some value. The block headers
    // before it know.
    let mut walk = BlockWalk::new(header);
    while let Some(frame) = walk.next_frame(source)? {
        if frame.data.end >= offset {
            return Ok(frame.end());
        }
    }
    Ok(source.size())
}
