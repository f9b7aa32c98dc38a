//! What the block headers of a file say: how many rows there are, and where to begin for one of them.
//!
//! A header is a read of its own, and a large file has many. So every thread begins at a sync marker of its own, somewhere
//! in the file. Such a marker may be data that looks like one: what they found holds only where each thread came out
//! exactly where the next one began; otherwise, and where anything is wrong, one thread walks from the beginning.

use std::sync::{Arc, Mutex, PoisonError};

use memchr::memmem;
use rayon::prelude::*;

use crate::container::{BlockFrame, BlockWalk, SYNC_BYTES};
use crate::executor;
use crate::{Error, Header, Result, Source};

/// A part of fewer bytes is not worth a thread.
const PART_BYTES: u64 = 4 << 20;

/// Bytes in which a part has to find a marker: where blocks are larger, there are few of them.
const SEARCH_BYTES: usize = 128 << 10;

/// Where only the first rows are wanted: bytes that are walked over at first, and how many times more each time after.
const SECTION_BYTES: u64 = PART_BYTES;
const GROWTH: u64 = 4;

/// One block in so many bytes is remembered.
const REMEMBERED_BYTES: u64 = 256 << 10;

/// Where a block begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    /// How many blocks and rows stand in front of it.
    pub(super) blocks: u64,
    pub(super) rows: u64,
}

/// The headers of a file from the first one on, as far as anybody had to look at them.
#[derive(Clone, Debug)]
pub(super) struct Survey {
    walk: BlockWalk,
    blocks: u64,
    rows: u64,
    complete: bool,
    remembered: Vec<Place>,
}

impl Survey {
    fn new(walk: BlockWalk) -> Self {
        Self { walk, blocks: 0, rows: 0, complete: false, remembered: Vec::new() }
    }

    /// How many blocks and rows there are; of a part that is not the whole file, at least.
    pub(super) fn totals(&self) -> (u64, u64) {
        (self.blocks, self.rows)
    }

    /// Goes on until there are so many rows, or to the file's end.
    fn extend(&mut self, source: &dyn Source, sync: &[u8; SYNC_BYTES], rows: u64) -> Result<()> {
        let mut section = if rows == u64::MAX { u64::MAX } else { SECTION_BYTES };
        while !self.is_enough(rows) {
            let stop = self.walk.offset().saturating_add(section);
            if !self.extend_in_parts(source, sync, stop)? {
                self.extend_alone(source, stop, rows)?;
            }
            section = section.saturating_mul(GROWTH);
        }
        Ok(())
    }

    fn is_enough(&self, rows: u64) -> bool {
        self.complete || (self.rows >= rows && rows != u64::MAX)
    }

    /// Walks until a block begins at `stop` or behind it, or until there are so many rows.
    fn extend_alone(&mut self, source: &dyn Source, stop: u64, rows: u64) -> Result<()> {
        while self.walk.offset() < stop && !self.is_enough(rows) {
            let Some(frame) = self.walk.next_frame(source)? else {
                self.complete = true;
                break;
            };
            let last = self.remembered.last();
            if last.is_none_or(|place| frame.offset - place.offset >= REMEMBERED_BYTES) {
                self.remembered.push(Place { offset: frame.offset, blocks: self.blocks, rows: self.rows });
            }
            self.blocks += 1;
            self.rows = self.rows.checked_add(frame.rows).ok_or_else(|| too_many_rows(&frame, source))?;
        }
        Ok(())
    }

    /// Does the same on several threads, if that is worth it and nothing comes between; says whether.
    fn extend_in_parts(&mut self, source: &dyn Source, sync: &[u8; SYNC_BYTES], stop: u64) -> Result<bool> {
        let start = self.walk.offset();
        let bytes = stop.min(source.size()).saturating_sub(start);
        // Before the threads are counted: small files are many, and counting threads costs as much as reading one.
        if bytes < 2 * PART_BYTES || executor::threads() < 2 {
            return Ok(false);
        }
        let parts = (bytes / PART_BYTES).min(executor::threads() as u64);
        let border = |part: u64| start + (u128::from(bytes) * u128::from(part) / u128::from(parts)) as u64;
        let walk = |part| {
            let survey = if part == 0 { Some(self.clone()) } else { Self::behind_marker(source, sync, border(part)) };
            let mut survey = survey?;
            let first = survey.walk.offset();
            // The next part begins at the first block whose predecessor's marker lies behind the border.
            let stop = if part + 1 == parts { stop } else { border(part + 1) + SYNC_BYTES as u64 };
            survey.extend_alone(source, stop, u64::MAX).ok()?;
            Some((first, survey))
        };
        let walked = executor::pool()?.install(|| (0..parts).into_par_iter().map(walk).collect::<Option<Vec<_>>>());
        let joined = walked.and_then(|parts| {
            let mut parts = parts.into_iter();
            let (_, first) = parts.next()?;
            parts.try_fold(first, |before, (start, part)| before.join(start, part))
        });
        let Some(joined) = joined else { return Ok(false) };
        *self = joined;
        Ok(true)
    }

    /// The part that begins behind the first marker at `offset` or behind it.
    fn behind_marker(source: &dyn Source, sync: &[u8; SYNC_BYTES], offset: u64) -> Option<Self> {
        let bytes = source.read_at(offset, SEARCH_BYTES).ok()?;
        let at = memmem::find(&bytes, sync)?;
        Some(Self::new(BlockWalk::behind(*sync, offset + (at + SYNC_BYTES) as u64)))
    }

    /// This part and the next one, which began at `first`, as one.
    fn join(mut self, first: u64, mut next: Self) -> Option<Self> {
        if first != self.walk.offset() {
            return None;
        }
        let (blocks, rows) = self.totals();
        next.walk.number_on(blocks);
        let moved = |Place { offset, blocks: before, rows: above }: Place| Place {
            offset,
            blocks: blocks + before,
            rows: rows + above,
        };
        self.rows = rows.checked_add(next.rows)?;
        self.blocks += next.blocks;
        self.remembered.extend(next.remembered.into_iter().map(moved));
        (self.walk, self.complete) = (next.walk, next.complete);
        Some(self)
    }
}

/// What is known of one file. Nobody holds the lock while headers are read: who does may have to wait for other threads.
#[derive(Debug, Default)]
pub(super) struct Surveyed(Mutex<Option<Arc<Survey>>>);

impl Surveyed {
    fn get(&self) -> Option<Arc<Survey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The headers of so many rows at least, or of the whole file.
    ///
    /// # Errors
    /// Where one of them is damaged, and where the source cannot be read.
    pub(super) fn of_rows(&self, source: &dyn Source, header: &Header, rows: u64) -> Result<Arc<Survey>> {
        let known = self.get();
        if let Some(known) = &known
            && known.is_enough(rows)
        {
            return Ok(known.clone());
        }
        let mut survey = known.map_or_else(|| Survey::new(BlockWalk::new(header)), |known| (*known).clone());
        survey.extend(source, &header.sync, rows)?;
        survey.walk.forget_bytes();
        let survey = Arc::new(survey);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_none_or(|kept| kept.blocks <= survey.blocks) {
            *kept = Some(survey.clone());
        }
        Ok(survey)
    }

    /// How many rows there are, if that is known.
    pub(super) fn rows(&self) -> Option<u64> {
        self.get().filter(|survey| survey.complete).map(|survey| survey.rows)
    }

    /// The last block that is remembered before this row; none where its marker is not there any more.
    pub(super) fn place(&self, source: &dyn Source, header: &Header, row: u64) -> Option<Place> {
        let survey = self.get()?;
        let behind = survey.remembered.partition_point(|place| place.rows <= row);
        let place = *survey.remembered.get(behind.checked_sub(1)?)?;
        let mut marker = [0; SYNC_BYTES];
        let read = source.read_into(place.offset - SYNC_BYTES as u64, &mut marker).ok()?;
        (read == SYNC_BYTES && marker == header.sync).then_some(place)
    }
}

#[cold]
fn too_many_rows(frame: &BlockFrame, source: &dyn Source) -> Error {
    let error = Error::data("the blocks up to this one claim more than 2^64 rows");
    error.in_file(source.name()).at(|position| {
        position.block = Some(frame.index);
        position.offset = Some(frame.offset);
    })
}
