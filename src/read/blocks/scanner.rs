//! Finding blocks by their sync markers: from any offset, and behind damage.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;

use memchr::memmem::Finder;
use polars_buffer::Buffer;

use crate::container::{BlockFrame, MAX_FRAME_BYTES, SYNC_BYTES};
use crate::read::fetch;
use crate::{Result, Source};

/// Bytes read at once while looking for a marker: few at first, because it may be near.
const WINDOW: Range<usize> = 4 << 10..256 << 10;

/// Ends of blocks that are remembered although their markers are damaged.
const MOST_ENDS: usize = 64;

/// So many bytes of a marker tell that it is one.
const MOST_OF_A_MARKER: usize = SYNC_BYTES / 2;

/// What stands at an offset.
enum Probe {
    /// A block whose marker is where its header says.
    Sound(BlockFrame),
    /// The end of the file.
    End,
    /// A header that is possible, of a block that would end here, behind a marker that is damaged.
    DamagedMarker(u64),
    Nothing,
}

/// Finds blocks in one file.
pub(crate) struct SyncScanner<'a> {
    source: &'a dyn Source,
    sync: &'a [u8; SYNC_BYTES],
    finder: Finder<'a>,
    /// Bytes of the next read, and of the largest.
    window: Cell<usize>,
    most: usize,
    /// What was read last, and where it stands: the next marker may be a few bytes behind the one before.
    last: RefCell<(u64, Buffer<u8>)>,
}

impl<'a> SyncScanner<'a> {
    pub(crate) fn new(source: &'a dyn Source, sync: &'a [u8; SYNC_BYTES]) -> Self {
        Self::with_windows(source, sync, WINDOW)
    }

    fn with_windows(source: &'a dyn Source, sync: &'a [u8; SYNC_BYTES], windows: Range<usize>) -> Self {
        let (window, most) = (Cell::new(windows.start), windows.end);
        Self { source, sync, finder: Finder::new(sync), window, most, last: RefCell::default() }
    }

    /// The offset of the first whole marker at or behind `from`. What follows it, if anything, is a block.
    ///
    /// # Errors
    /// Where the source cannot be read.
    pub(crate) fn marker(&self, from: u64) -> Result<Option<u64>> {
        let mut start = from;
        while start.saturating_add(SYNC_BYTES as u64) <= self.source.size() {
            let bytes = if let Some(bytes) = self.at_hand(start, SYNC_BYTES) {
                bytes
            } else {
                let bytes = fetch::bytes_at(self.source, start, self.window.get())?;
                self.window.set(self.most.min(4 * self.window.get()));
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

    /// The bytes from `offset` on if at least so many of them were read last.
    fn at_hand(&self, offset: u64, least: usize) -> Option<Buffer<u8>> {
        let (start, bytes) = &*self.last.borrow();
        let skip = usize::try_from(offset.checked_sub(*start)?).ok()?;
        (bytes.len().checked_sub(skip)? >= least).then(|| bytes.clone().sliced(skip..))
    }

    /// Whether a sound block stands at `offset`, or nothing because the file ends there.
    ///
    /// # Errors
    /// Where the source cannot be read.
    pub(crate) fn is_sound(&self, offset: u64) -> Result<bool> {
        Ok(matches!(self.probe(offset)?, Probe::Sound(_) | Probe::End))
    }

    /// The sound block at `offset`, if there is one.
    ///
    /// # Errors
    /// Where the source cannot be read.
    pub(crate) fn block(&self, offset: u64) -> Result<Option<BlockFrame>> {
        Ok(if let Probe::Sound(frame) = self.probe(offset)? { Some(frame) } else { None })
    }

    /// Where the first sound block begins that a marker at or behind `from` precedes; the end of the file where there is
    /// none.
    ///
    /// # Errors
    /// Where the source cannot be read.
    pub(crate) fn sound_block(&self, from: u64) -> Result<u64> {
        let mut from = from;
        while let Some(marker) = self.marker(from)? {
            if self.is_sound(marker + SYNC_BYTES as u64)? {
                return Ok(marker + SYNC_BYTES as u64);
            }
            from = marker + 1;
        }
        Ok(self.source.size())
    }

    /// Where reading goes on behind a block at `damaged`: the nearest sound block that follows a marker, or that stands
    /// where the header of a block with a damaged marker says; the end of the file where there is none.
    ///
    /// # Errors
    /// Where the source cannot be read.
    pub(crate) fn resume_after(&self, damaged: u64) -> Result<u64> {
        let mut ends = BTreeSet::new();
        self.consider(damaged, &mut ends)?;
        let mut marker = self.marker(damaged)?;
        loop {
            let by_marker = marker.map(|marker| marker + SYNC_BYTES as u64);
            let next = match (by_marker, ends.first().copied()) {
                (Some(by_marker), Some(end)) if end < by_marker => end,
                (Some(by_marker), _) => {
                    marker = self.marker(by_marker - SYNC_BYTES as u64 + 1)?;
                    by_marker
                }
                (None, Some(end)) => end,
                (None, None) => return Ok(self.source.size()),
            };
            ends.remove(&next);
            if self.consider(next, &mut ends)? {
                return Ok(next);
            }
        }
    }

    /// Whether a sound block stands at `offset`; remembers where one may be that comes after it.
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
        // By chance a record looks like a header. That there is most of a marker where it says is no chance.
        Ok(match marker.iter().zip(self.sync).filter(|(found, expected)| found == expected).count() {
            SYNC_BYTES => Probe::Sound(frame),
            MOST_OF_A_MARKER.. => Probe::DamagedMarker(frame.end()),
            _ => Probe::Nothing,
        })
    }
}

#[cfg(test)]
mod tests;
