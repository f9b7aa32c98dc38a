//! Finding blocks by their sync markers: from any offset, and behind damage.

use std::cell::RefCell;
use std::collections::BTreeSet;

use memchr::memmem::Finder;
use polars_buffer::Buffer;

use crate::container::{BlockFrame, MAX_FRAME_BYTES, SYNC_BYTES};
use crate::read::fetch;
use crate::read::settings::READ_BYTES;
use crate::{Result, Source};

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

/// A sound block, or the end of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) offset: u64,
    /// Whether it follows the first marker. If not, that marker may be a part of a value, and this one too.
    pub(crate) is_first: bool,
}

/// Finds blocks in one file: the only place that looks for one from an arbitrary offset.
pub(crate) struct SyncScanner<'a> {
    source: &'a dyn Source,
    sync: &'a [u8; SYNC_BYTES],
    finder: Finder<'a>,
    /// Bytes of a read.
    window: usize,
    /// What was read last, and where it stands: the next marker may be a few bytes behind the one before.
    last: RefCell<(u64, Buffer<u8>)>,
}

impl<'a> SyncScanner<'a> {
    pub(crate) fn new(source: &'a dyn Source, sync: &'a [u8; SYNC_BYTES]) -> Self {
        Self::with_window(source, sync, READ_BYTES as usize)
    }

    fn with_window(source: &'a dyn Source, sync: &'a [u8; SYNC_BYTES], window: usize) -> Self {
        Self { source, sync, finder: Finder::new(sync), window, last: RefCell::default() }
    }

    /// The first sound block at or after `from`, if one is found in the next `reach` bytes: it follows a marker, or is where
    /// the header of a block with a damaged marker says that it ends. The end of the file counts as one.
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

    /// The offset of the first whole marker that begins between `from` and `stop`.
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

    /// The bytes from `offset` on if at least so many of them were read last.
    fn at_hand(&self, offset: u64, least: usize) -> Option<Buffer<u8>> {
        let (start, bytes) = &*self.last.borrow();
        let skip = usize::try_from(offset.checked_sub(*start)?).ok()?;
        (bytes.len().checked_sub(skip)? >= least).then(|| bytes.clone().sliced(skip..))
    }

    /// The sound block at `offset`, if there is one.
    ///
    /// # Errors
    /// Where the source cannot be read.
    pub(crate) fn block(&self, offset: u64) -> Result<Option<BlockFrame>> {
        Ok(if let Probe::Sound(frame) = self.probe(offset)? { Some(frame) } else { None })
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
