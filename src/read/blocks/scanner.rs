//! Finds blocks by their sync markers: from any offset, and after damage.

use std::cell::RefCell;
use std::collections::BTreeSet;

use memchr::memmem::Finder;
use polars_buffer::Buffer;

use crate::container::{BlockFrame, MAX_FRAME_BYTES, SYNC_BYTES};
use crate::read::fetch;
use crate::read::settings::READ_BYTES;
use crate::{Result, Source};

/// The maximum number of block ends that are remembered for blocks with damaged markers.
const MOST_ENDS: usize = 64;

/// The number of bytes of the sync marker that must match for it to count as a damaged marker.
const MOST_OF_A_MARKER: usize = SYNC_BYTES / 2;

/// The result of looking for a block at an offset.
enum Probe {
    /// A block whose sync marker is at the offset that its header claims.
    Sound(BlockFrame),
    /// The end of the file.
    End,
    /// A plausible header of a block that ends at this offset, after a damaged marker.
    DamagedMarker(u64),
    Nothing,
}

/// A sound block, or the end of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) offset: u64,
    /// True if it follows the first marker found. If not, the first marker may be part of a value, and so may this one.
    pub(crate) is_first: bool,
}

/// A scanner of one file: the only code that looks for a block from an arbitrary offset.
pub(crate) struct SyncScanner<'a> {
    source: &'a dyn Source,
    sync: &'a [u8; SYNC_BYTES],
    finder: Finder<'a>,
    /// The number of bytes of one read.
    window: usize,
    /// The offset and the bytes of the last read, kept because the next marker may be a few bytes later.
    last: RefCell<(u64, Buffer<u8>)>,
}

impl<'a> SyncScanner<'a> {
    pub(crate) fn new(source: &'a dyn Source, sync: &'a [u8; SYNC_BYTES]) -> Self {
        Self::with_window(source, sync, READ_BYTES as usize)
    }

    fn with_window(source: &'a dyn Source, sync: &'a [u8; SYNC_BYTES], window: usize) -> Self {
        Self { source, sync, finder: Finder::new(sync), window, last: RefCell::default() }
    }

    /// Finds the first sound block at or after `from`, within `reach` bytes. It follows a sync marker, or begins at the end
    /// that the header of a block with a damaged marker claims. The end of the file counts as a block.
    ///
    /// # Errors
    /// If the source cannot be read.
    pub(crate) fn find(&self, from: u64, reach: u64) -> Result<Option<Found>> {
        let (stop, mut ends) = (from.saturating_add(reach), BTreeSet::new());
        self.consider(from, &mut ends)?;
        let mut marker = self.marker(from, stop)?;
        let mut is_first = true;
        loop {
            let after = marker.map(|marker| marker + SYNC_BYTES as u64);
            let next = match (after, ends.pop_first()) {
                (Some(after), Some(end)) if end < after => end,
                (Some(after), end) => {
                    ends.extend(end.filter(|end| *end > after));
                    marker = self.marker(after - SYNC_BYTES as u64 + 1, stop)?;
                    after
                }
                (None, Some(end)) => end,
                (None, None) if stop >= self.source.size() => self.source.size(),
                (None, None) => return Ok(None),
            };
            if next == self.source.size() || self.consider(next, &mut ends)? {
                return Ok(Some(Found { offset: next, is_first }));
            }
            is_first = false;
        }
    }

    /// Returns the offset of the first whole marker that begins between `from` and `stop`.
    ///
    /// # Errors
    /// If the source cannot be read.
    pub(crate) fn marker(&self, from: u64, stop: u64) -> Result<Option<u64>> {
        let mut start = from;
        while start < stop && start.saturating_add(SYNC_BYTES as u64) <= self.source.size() {
            let bytes = if let Some(bytes) = self.at_hand(start, SYNC_BYTES) {
                bytes
            } else {
                let bytes = fetch::bytes_at(self.source, start, self.window)?;
                self.last.replace((start, bytes.clone()));
                bytes
            };
            if let Some(found) = self.finder.find(&bytes) {
                return Ok(Some(start + found as u64));
            }
            if bytes.len() < SYNC_BYTES {
                break;
            }
            // A marker may begin in this window and end in the next.
            start += (bytes.len() - (SYNC_BYTES - 1)) as u64;
        }
        Ok(None)
    }

    /// Returns the bytes from `offset` on, if the last read has at least `least` of them.
    fn at_hand(&self, offset: u64, least: usize) -> Option<Buffer<u8>> {
        let (start, bytes) = &*self.last.borrow();
        let skip = usize::try_from(offset.checked_sub(*start)?).ok()?;
        (bytes.len().checked_sub(skip)? >= least).then(|| bytes.clone().sliced(skip..))
    }

    /// Returns the sound block at `offset`, if there is one.
    ///
    /// # Errors
    /// If the source cannot be read.
    pub(crate) fn block(&self, offset: u64) -> Result<Option<BlockFrame>> {
        Ok(if let Probe::Sound(frame) = self.probe(offset)? { Some(frame) } else { None })
    }

    /// Returns true if a sound block or the end of the file is at `offset`. Adds the end of a block with a damaged marker
    /// to `ends`.
    fn consider(&self, offset: u64, ends: &mut BTreeSet<u64>) -> Result<bool> {
        match self.probe(offset)? {
            Probe::Sound(_) | Probe::End => return Ok(true),
            Probe::DamagedMarker(end) => {
                ends.insert(end);
                if ends.len() > MOST_ENDS {
                    ends.pop_last();
                }
            }
            Probe::Nothing => {}
        }
        Ok(false)
    }

    fn probe(&self, offset: u64) -> Result<Probe> {
        let size = self.source.size();
        if offset == size {
            return Ok(Probe::End);
        }
        let head = match self.at_hand(offset, MAX_FRAME_BYTES) {
            Some(head) => head,
            None => fetch::bytes_at(self.source, offset, MAX_FRAME_BYTES)?,
        };
        let Ok(Some(frame)) = BlockFrame::parse(&head, 0, offset, size) else { return Ok(Probe::Nothing) };
        let marker = fetch::bytes_at(self.source, frame.data.end, SYNC_BYTES)?;
        // Record bytes can look like a block header. A candidate counts only if at least half of the sync marker follows at
        // the offset it claims.
        Ok(match marker.iter().zip(self.sync).filter(|(found, expected)| found == expected).count() {
            SYNC_BYTES => Probe::Sound(frame),
            MOST_OF_A_MARKER.. => Probe::DamagedMarker(frame.end()),
            _ => Probe::Nothing,
        })
    }
}

#[cfg(test)]
mod tests;
