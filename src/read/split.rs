//! Parts of a file by bytes: every block belongs to the part that has the marker in front of it, be it the header's.

use std::ops::Range;
use std::sync::Arc;

use super::opened::Opened;
use crate::container::{BlockWalk, Finding, SYNC_BYTES};
use crate::{Error, Result};

/// From where to where the blocks stand whose markers begin in `bytes`. Ranges that tile a file tile its blocks.
pub(super) fn blocks(file: &Opened, bytes: &Range<u64>, salvage: bool) -> Result<Range<u64>> {
    let start = first_block(file, bytes.start, salvage)?;
    let stop = first_block(file, bytes.end, salvage)?;
    Ok(start..stop.max(start))
}

/// Returns where the block begins that follows the first marker at or after `offset`.
fn first_block(file: &Opened, offset: u64, salvage: bool) -> Result<u64> {
    let Opened { source, header, .. } = file;
    let (source, finding) = (&**source, Finding::new(&**source, &header.sync));
    if offset <= header.size - SYNC_BYTES as u64 {
        return Ok(header.size);
    }
    let Some(marker) = finding.marker(offset)? else { return Ok(source.size()) };
    let block = marker + SYNC_BYTES as u64;
    if finding.is_sound(block)? {
        return Ok(block);
    }
    // Either the block is damaged, which reading it must show, or the marker is a part of some value. The block headers
    // before it know.
    if salvage {
        let walked = walk_past_damage(file, offset.saturating_add(SYNC_BYTES as u64))?.0;
        return Ok(walked.min(finding.sound_block(marker + 1)?));
    }
    let mut walk = BlockWalk::new(header);
    while let Some(frame) = walk.next_frame(source)? {
        if frame.data.end >= offset {
            return Ok(frame.end());
        }
    }
    Ok(source.size())
}

/// Walks from the first block to the first one at or after `stop`; damage is passed over. Returns its offset and index.
fn walk_past_damage(file: &Opened, stop: u64) -> Result<(u64, u64)> {
    let Opened { source, header, .. } = file;
    let finding = Finding::new(&**source, &header.sync);
    let (mut offset, mut index) = (header.size, 0);
    while offset < stop.min(source.size()) {
        offset = match finding.block(offset)? {
            Some(frame) => frame.end(),
            None => finding.behind(offset)?,
        };
        index += 1;
    }
    Ok((offset, index))
}

/// The first block of a part, whose index in the file is found out when a report needs it.
pub(super) struct FirstBlock {
    file: Arc<Opened>,
    offset: u64,
    index: Option<u64>,
}

impl FirstBlock {
    /// The block at `offset`.
    pub(super) fn new(file: Arc<Opened>, offset: u64) -> Self {
        Self { file, offset, index: None }
    }

    /// Numbers the block of an error, which counts from the part's first, from the file's first.
    pub(super) fn renumber(&mut self, error: Error) -> Error {
        if error.position().block.is_none() {
            return error;
        }
        if self.index.is_none() {
            self.index = walk_past_damage(&self.file, self.offset).ok().map(|(_, index)| index);
        }
        // Where the blocks before cannot be read, the offset alone says which block it is.
        error.at(|position| position.block = self.index.zip(position.block).map(|(first, block)| first + block))
    }
}
