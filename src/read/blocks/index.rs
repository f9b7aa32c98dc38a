//! What the block headers of a file say: how many rows there are, and where to begin for one of them.
//!
//! A header is a read of its own, and a large file has many. So every thread begins at a sync marker of its own, somewhere
//! in the file. Such a marker may be data that looks like one: what they found holds only where each thread came out
//! exactly where the next one began; otherwise, and where anything is wrong, one thread walks from the beginning.

use std::sync::{Arc, Mutex, PoisonError};

use super::{BlockWalk, SyncScanner};
use crate::container::{BlockFrame, SYNC_BYTES};
use crate::executor;
use crate::read::fetch;
use crate::read::settings::SECTION_BYTES;
use crate::{Error, Header, Result, Source};

/// One block in so many bytes is remembered. A part has to find its first block in as many: if blocks are larger, there are
/// few of them.
const STEP_BYTES: u64 = SECTION_BYTES.start;

/// Where a block begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    pub(crate) offset: u64,
    /// How many blocks and rows stand in front of it.
    pub(crate) blocks: u64,
    pub(crate) rows: u64,
}

/// The headers of a file from the first one on, as far as anybody had to look at them.
#[derive(Clone, Debug)]
pub(crate) struct BlockIndex {
    walk: BlockWalk,
    blocks: u64,
    rows: u64,
    complete: bool,
    remembered: Vec<IndexEntry>,
}

impl BlockIndex {
    fn new(walk: BlockWalk) -> Self {
        Self { walk, blocks: 0, rows: 0, complete: false, remembered: Vec::new() }
    }

    /// How many blocks and rows there are; of a part that is not the whole file, at least.
    pub(crate) fn totals(&self) -> (u64, u64) {
        (self.blocks, self.rows)
    }

    /// Goes on until there are so many rows, or to the file's end.
    fn extend(&mut self, source: &Arc<dyn Source>, sync: &[u8; SYNC_BYTES], rows: u64) -> Result<()> {
        if self.is_enough(rows) || (rows == u64::MAX && self.extend_parallel(source, sync)?) {
            return Ok(());
        }
        self.extend_serial(&**source, u64::MAX, rows)
    }

    fn is_enough(&self, rows: u64) -> bool {
        self.complete || (self.rows >= rows && rows != u64::MAX)
    }

    /// Walks until a block begins at `stop` or behind it, or until there are so many rows.
    fn extend_serial(&mut self, source: &dyn Source, stop: u64, rows: u64) -> Result<()> {
        while self.walk.offset() < stop && !self.is_enough(rows) {
            let Some(frame) = self.walk.next_frame(source)? else {
                self.complete = true;
                break;
            };
            let last = self.remembered.last();
            if last.is_none_or(|entry| frame.offset - entry.offset >= STEP_BYTES) {
                self.remembered.push(IndexEntry { offset: frame.offset, blocks: self.blocks, rows: self.rows });
            }
            self.blocks += 1;
            self.rows = self.rows.checked_add(frame.rows).ok_or_else(|| too_many_rows(&frame, source))?;
        }
        Ok(())
    }

    /// Walks to the end on several threads, if that is worth it and nothing comes between; says whether.
    fn extend_parallel(&mut self, source: &Arc<dyn Source>, sync: &[u8; SYNC_BYTES]) -> Result<bool> {
        let start = self.walk.offset();
        let bytes = source.size().saturating_sub(start);
        // Over a network one reader in file order is the fastest: requests run ahead of it.
        // Before the threads are counted: small files are many, and counting threads costs as much as reading one.
        if bytes < 2 * SECTION_BYTES.end || source.is_remote() || executor::threads() < 2 {
            return Ok(false);
        }
        let parts = (bytes / SECTION_BYTES.end).min(executor::threads() as u64);
        let border = move |part: u64| start + (u128::from(bytes) * u128::from(part) / u128::from(parts)) as u64;
        let (source, sync, own) = (source.clone(), *sync, self.clone());
        let walk = move |part| {
            let index = if part == 0 { Some(own.clone()) } else { Self::from(&*source, &sync, border(part)) };
            let mut index = index?;
            let first = index.walk.offset();
            // The next part begins at the first block whose predecessor's marker lies behind the border.
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

    /// The part that begins with the first block that is found from `offset` on.
    fn from(source: &dyn Source, sync: &[u8; SYNC_BYTES], offset: u64) -> Option<Self> {
        let found = SyncScanner::new(source, sync).find(offset, STEP_BYTES).ok()??;
        Some(Self::new(BlockWalk::behind(*sync, found.offset)))
    }

    /// This part and the next one, which began at `first`, as one.
    fn join(mut self, first: u64, mut next: Self) -> Option<Self> {
        if first != self.walk.offset() {
            return None;
        }
        let (blocks, rows) = self.totals();
        next.walk.number_on(blocks);
        let moved = |IndexEntry { offset, blocks: before, rows: above }: IndexEntry| IndexEntry {
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
pub(crate) struct SharedBlockIndex(Mutex<Option<Arc<BlockIndex>>>);

impl SharedBlockIndex {
    fn get(&self) -> Option<Arc<BlockIndex>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The headers of so many rows at least, or of the whole file.
    ///
    /// # Errors
    /// Where one of them is damaged, and where the source cannot be read.
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
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_none_or(|kept| kept.blocks <= index.blocks) {
            *kept = Some(index.clone());
        }
        Ok(index)
    }

    /// Returns how many blocks and rows there are, if that is known.
    pub(crate) fn totals(&self) -> Option<(u64, u64)> {
        self.get().filter(|index| index.complete).map(|index| index.totals())
    }

    /// The last block that is remembered before this row; none where its marker is not there any more.
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
