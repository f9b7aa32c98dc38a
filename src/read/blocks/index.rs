//! The block index: row counts from block headers, and the block to start at for a given row.
//!
//! Reading headers one by one costs a small read per block, so large files are walked in parallel. Each thread starts at a
//! sync marker that it finds after its own offset. Record bytes can look like a marker, so the results count only if every
//! thread ended exactly at the start of the next one. Otherwise, or after an error, one thread walks from the beginning.

use std::sync::{Arc, Mutex};

use super::{BlockWalk, SyncScanner};
use crate::container::{BlockFrame, SYNC_BYTES};
use crate::executor::{self, lock};
use crate::read::fetch;
use crate::read::settings::SECTION_BYTES;
use crate::{Error, Header, Result, Source};

/// One block per this many bytes is remembered. A thread must find its first block within as many bytes: if blocks are
/// larger, there are few of them.
const STEP_BYTES: u64 = SECTION_BYTES.start;

/// The start of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    pub(crate) offset: u64,
    /// The numbers of blocks and rows before it.
    pub(crate) blocks: u64,
    pub(crate) rows: u64,
}

/// The block headers of a file from the first one on, as far as they were read.
#[derive(Clone, Debug)]
pub(crate) struct BlockIndex {
    walk: BlockWalk,
    rows: u64,
    complete: bool,
    remembered: Vec<IndexEntry>,
}

impl BlockIndex {
    fn new(walk: BlockWalk) -> Self {
        Self { walk, rows: 0, complete: false, remembered: Vec::new() }
    }

    /// Returns the numbers of blocks and rows, which are lower bounds if the index does not cover the whole file.
    pub(crate) fn totals(&self) -> (u64, u64) {
        (self.walk.index, self.rows)
    }

    /// Continues the walk until the index covers `rows` rows, or to the end of the file.
    fn extend(&mut self, source: &Arc<dyn Source>, sync: &[u8; SYNC_BYTES], rows: u64) -> Result<()> {
        if self.is_enough(rows) || (rows == u64::MAX && self.extend_parallel(source, sync)?) {
            return Ok(());
        }
        self.extend_serial(&**source, u64::MAX, rows)
    }

    fn is_enough(&self, rows: u64) -> bool {
        self.complete || (self.rows >= rows && rows != u64::MAX)
    }

    /// Walks until a block begins at or after `stop`, or until there are `rows` rows.
    fn extend_serial(&mut self, source: &dyn Source, stop: u64, rows: u64) -> Result<()> {
        while self.walk.offset < stop && !self.is_enough(rows) {
            let Some(frame) = self.walk.next_frame(source)? else {
                self.complete = true;
                break;
            };
            let last = self.remembered.last();
            if last.is_none_or(|entry| frame.offset - entry.offset >= STEP_BYTES) {
                self.remembered.push(IndexEntry { offset: frame.offset, blocks: frame.index, rows: self.rows });
            }
            self.rows = self.rows.checked_add(frame.rows).ok_or_else(|| too_many_rows(&frame, source))?;
        }
        Ok(())
    }

    /// Walks to the end on several threads. Returns false if the file is too small for that, or if the parts do not join.
    fn extend_parallel(&mut self, source: &Arc<dyn Source>, sync: &[u8; SYNC_BYTES]) -> Result<bool> {
        let start = self.walk.offset;
        let bytes = source.size().saturating_sub(start);
        // Over a network one reader in file order is the fastest, because its requests are prefetched.
        // The size is checked before the threads are counted: counting threads costs as much as reading a small file.
        if bytes < 2 * SECTION_BYTES.end || source.is_remote() || executor::threads() < 2 {
            return Ok(false);
        }
        let parts = (bytes / SECTION_BYTES.end).min(executor::threads() as u64);
        let border = move |part: u64| start + (u128::from(bytes) * u128::from(part) / u128::from(parts)) as u64;
        let (source, sync, own) = (source.clone(), *sync, self.clone());
        let walk = move |part| {
            let index = if part == 0 { Some(own.clone()) } else { Self::from(&*source, &sync, border(part)) };
            let mut index = index?;
            let first = index.walk.offset;
            // The next part begins at the first block whose preceding marker begins at or after the border.
            let stop = if part + 1 == parts { u64::MAX } else { border(part + 1) + SYNC_BYTES as u64 };
            index.extend_serial(&*source, stop, u64::MAX).ok()?;
            Some((first, index))
        };
        let walked: Option<Vec<_>> = executor::map(0..parts, walk)?.into_iter().collect();
        let joined = walked.and_then(|parts| {
            let mut parts = parts.into_iter();
            let (_, first) = parts.next()?;
            parts.try_fold(first, |before, (start, part)| before.join(start, part))
        });
        let Some(joined) = joined else { return Ok(false) };
        *self = joined;
        Ok(true)
    }

    /// Creates a part that begins with the first block found at or after `offset`.
    fn from(source: &dyn Source, sync: &[u8; SYNC_BYTES], offset: u64) -> Option<Self> {
        let found = SyncScanner::new(source, sync).find(offset, STEP_BYTES).ok()??;
        Some(Self::new(BlockWalk::behind(*sync, found.offset)))
    }

    /// Joins this part and the next one, which begins at `first`; returns `None` if this part does not end there.
    fn join(mut self, first: u64, mut next: Self) -> Option<Self> {
        if first != self.walk.offset {
            return None;
        }
        let (blocks, rows) = self.totals();
        next.walk.number_on(blocks);
        next.rows = rows.checked_add(next.rows)?;
        for entry in &mut next.remembered {
            entry.blocks += blocks;
            entry.rows += rows;
        }
        self.remembered.append(&mut next.remembered);
        Some(Self { remembered: self.remembered, ..next })
    }
}

/// The block index of one file. The lock is not held while headers are read, since a parallel walk waits for other threads.
#[derive(Debug, Default)]
pub(crate) struct SharedBlockIndex(Mutex<Option<Arc<BlockIndex>>>);

impl SharedBlockIndex {
    fn get(&self) -> Option<Arc<BlockIndex>> {
        lock(&self.0).clone()
    }

    /// Returns an index of at least `rows` rows, or of the whole file.
    ///
    /// # Errors
    /// If a header is damaged, or if the source cannot be read.
    pub(crate) fn up_to_row(&self, source: &Arc<dyn Source>, header: &Header, rows: u64) -> Result<Arc<BlockIndex>> {
        let known = self.get();
        if let Some(known) = &known
            && known.is_enough(rows)
        {
            return Ok(known.clone());
        }
        let mut index = known.map_or_else(|| BlockIndex::new(BlockWalk::new(header)), |known| (*known).clone());
        index.extend(source, &header.sync, rows)?;
        index.walk.forget_bytes();
        let index = Arc::new(index);
        let mut kept = lock(&self.0);
        if kept.as_ref().is_none_or(|kept| kept.walk.index <= index.walk.index) {
            *kept = Some(index.clone());
        }
        Ok(index)
    }

    /// Returns the numbers of blocks and rows, if the index covers the whole file.
    pub(crate) fn totals(&self) -> Option<(u64, u64)> {
        self.get().filter(|index| index.complete).map(|index| index.totals())
    }

    /// Returns the last remembered block at or before this row; `None` if its marker is not in the file any more.
    pub(crate) fn entry(&self, source: &dyn Source, header: &Header, row: u64) -> Option<IndexEntry> {
        let index = self.get()?;
        let behind = index.remembered.partition_point(|entry| entry.rows <= row);
        let entry = *index.remembered.get(behind.checked_sub(1)?)?;
        let mut marker = [0; SYNC_BYTES];
        let read = fetch::fill(source, entry.offset - SYNC_BYTES as u64, &mut marker).ok()?;
        (read == SYNC_BYTES && marker == header.sync).then_some(entry)
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
