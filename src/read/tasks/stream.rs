//! Cutting a file into tasks.
//!
//! The stream is behind a lock. A thread reserves a range of the file, fetches it outside the lock, and takes its turn:
//! it walks the block headers from where the last turn ended and takes away the blocks that begin in its range. The rest
//! of the last of them is fetched outside the lock too, like decompression and decoding.
//!
//! Nothing depends on what was reserved: a turn that does not find its bytes among the fetched ranges reads them. That is
//! how sources far away are read, which have their own read-ahead; how rows are skipped; and how the first block is read.
//! Blocks that are no smaller than a range are found by their headers alone, and fetched by the task. A block that is
//! large enough for several tasks is cut between records (`large_block`).

mod run;

use std::ops::Range;
use std::sync::Arc;

use run::{HEADERS_ALONE, Supply, TASK_BYTES};

use super::ranges::Ranges;
use super::{LargeBlock, Task};
use crate::container::{BlockFrame, SYNC_BYTES};
use crate::executor::Claimed;
use crate::plan::Plan;
use crate::read::blocks::{IndexEntry, SyncScanner};
use crate::read::fetch::{self, BufferPool, FetchedRange, RangeRequest, Window};
use crate::read::files::{BadBlock, OpenFile, is_damage};
use crate::read::settings::ReadSettings;
use crate::read::stats::{Counters, add};
use crate::{Error, Result};

/// A block of more compressed bytes than this may be several tasks.
const LARGE_BLOCK: u64 = 1 << 20;

/// So many large blocks are better taken one a thread than cut one after the other.
const ENOUGH_BLOCKS: usize = 3;

/// Bytes of a file's first task, and how many times more each of the next ones may have: whoever stops after a few rows
/// has not had many decoded, and whoever reads on soon gets whole batches.
const FIRST_BYTES: u64 = 64 << 10;
const GROWTH: u64 = 16;

/// Bytes read to see a block's header, which is at most 20.
const HEAD: u64 = 64;

/// What is wanted of a file: from where to where its blocks stand, and which of their rows.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) blocks: Range<u64>,
    pub(crate) rows: Range<u64>,
}

/// What has not been taken of a file.
pub(crate) struct BlockStream {
    file: Arc<OpenFile>,
    plan: Plan,
    settings: ReadSettings,
    counters: Arc<Counters>,
    /// Rows that are wanted, and where the blocks end.
    rows: Range<u64>,
    stop: u64,
    /// Where the next block begins, its number, and the number of its first row.
    offset: u64,
    index: u64,
    row: u64,
    /// Most bytes of the next task.
    ramp: u64,
    /// Bytes and rows of a block that was seen lately.
    sample: (u64, u64),
    window: Window,
    /// What other threads fetch, and have fetched.
    ranges: Ranges,
    large: Option<LargeBlock>,
}

impl BlockStream {
    pub(crate) fn new(
        file: Arc<OpenFile>,
        plan: Plan,
        settings: ReadSettings,
        wanted: Wanted,
        counters: Arc<Counters>,
        buffers: Arc<BufferPool>,
    ) -> Self {
        let Wanted { blocks: Range { start: offset, end: stop }, rows } = wanted;
        let ranges = Ranges::new(buffers.clone());
        // A small file is not worth two tasks, unless it is known that not all of it is wanted.
        let small = rows.end == u64::MAX && stop - offset <= TASK_BYTES.start;
        let ramp = if small { u64::MAX } else { FIRST_BYTES };
        let whole = offset == file.header.size;
        let known = if rows.start > 0 && whole { file.entry_before(rows.start) } else { None };
        let IndexEntry { offset, blocks: index, rows: row } =
            known.unwrap_or(IndexEntry { offset, ..IndexEntry::default() });
        add(&counters.blocks_skipped, index);
        let mut window = Window::new(buffers, counters.clone());
        if whole {
            window.count(0..file.header.size);
        }
        let (sample, large) = ((0, 0), None);
        let settings = settings.of_plan(&plan);
        Self { file, plan, settings, counters, rows, stop, offset, index, row, ramp, sample, window, ranges, large }
    }

    /// How many rows of the file lie behind the stream.
    pub(crate) fn row(&self) -> u64 {
        self.row
    }

    /// Takes note of the range that the next thread fetches; `None` if its turn has to come first.
    pub(crate) fn reserve(&mut self) -> Option<RangeRequest> {
        let range = self.next_range()?;
        self.ramp = self.ramp.saturating_mul(GROWTH);
        let source = self.file.source.clone();
        Some(self.ranges.reserve(source, range, self.stop, self.sample.0))
    }

    /// The range to fetch next, if blocks may begin in it that are wanted.
    fn next_range(&self) -> Option<Range<u64>> {
        let (bytes, rows) = self.sample;
        let start = self.ranges.end().max(self.offset);
        // Rows between here and there, by the look of the sample.
        let likely = (start - self.offset).checked_mul(rows)?.checked_div(bytes)?;
        let wanted = self.rows.end == u64::MAX || self.row.saturating_add(likely) < self.rows.end;
        let is_near = !self.file.source.is_remote() && bytes < HEADERS_ALONE;
        let is_next = self.large.is_none() && self.row >= self.rows.start && !self.has_fetched();
        let range = start..self.stop.min(start + self.task_bytes(start));
        (wanted && is_near && is_next && !range.is_empty()).then_some(range)
    }

    /// Whether there are bytes to cut a task from.
    fn has_fetched(&self) -> bool {
        self.large.is_some() || self.window.has_range_at(self.offset) || self.ranges.has_fetched()
    }

    /// The next task in file order, for a thread whose turn it is; it brings what it has fetched.
    pub(crate) fn claim(&mut self, fetched: Option<FetchedRange>) -> Result<Claimed<Task>> {
        if let Some(fetched) = fetched {
            self.ranges.push(fetched);
        }
        if self.large.is_none() && !self.window.has_range_at(self.offset) {
            if let Some(fetched) = self.ranges.at(self.offset) {
                self.window.show(fetched);
            } else if self.ranges.are_awaited(self.offset) || self.next_range().is_some() {
                return Ok(Claimed::Again);
            }
        }
        Ok(self.next_task()?.map_or(Claimed::End, Claimed::Task))
    }

    /// The next task in file order, `None` where the file or what is wanted of it ends.
    pub(crate) fn next_task(&mut self) -> Result<Option<Task>> {
        let task = self.cut_task();
        self.ramp = self.ramp.saturating_mul(GROWTH);
        task
    }

    fn cut_task(&mut self) -> Result<Option<Task>> {
        let batch_bytes = self.settings.batch_bytes.min(usize::try_from(self.ramp).unwrap_or(usize::MAX));
        let settings = ReadSettings { batch_bytes, ..self.settings };
        loop {
            if let Some(large) = &mut self.large {
                let Self { file, plan, window, .. } = self;
                if let Some(rows) = large.cut(file, plan, settings, window)? {
                    return Ok(Some(Task::RecordRun(rows)));
                }
                self.large = None;
            }
            let frame = match self.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(None),
                Err(error) => return self.lost(error).map(Some),
            };
            let stop = self.row.saturating_add(frame.rows);
            if stop <= self.rows.start && frame.rows > 0 {
                add(&self.counters.blocks_skipped, 1);
                self.pass(&frame);
            } else if let Err(error) = self.file.check_size(&frame) {
                return self.lost(error).map(Some);
            } else if self.is_large(&frame) && !self.settings.ignore_errors {
                let wanted = self.wanted(&frame);
                add(&self.counters.blocks_read, 1);
                let Self { file, window, counters, row, .. } = self;
                self.large = Some(LargeBlock::open(file, frame.clone(), *row, wanted, window, counters)?);
                self.pass(&frame);
            } else {
                return self.run(frame).map(Task::Blocks).or_else(|error| self.lost(error)).map(Some);
            }
        }
    }

    /// The header of the next block; `None` at the file's end and behind the last wanted row.
    fn next_frame(&mut self) -> Result<Option<BlockFrame>> {
        if self.offset >= self.stop || (self.row >= self.rows.end && self.rows.end != u64::MAX) {
            return Ok(None);
        }
        let supply = self.supply();
        if supply == Supply::Window {
            let skipping = self.row < self.rows.start;
            self.fill(HEAD, if skipping { HEAD } else { self.task_bytes(self.offset) })?;
        }
        let frame = self.frame(supply)?;
        if self.settings.ignore_errors {
            self.check_marker(&frame)?;
        }
        Ok(Some(frame))
    }

    /// Checks the marker before anything believes the block's size.
    fn check_marker(&self, frame: &BlockFrame) -> Result<()> {
        let OpenFile { source, header, .. } = &*self.file;
        let found = match self.window.from(frame.data.end).get(..SYNC_BYTES) {
            Some(found) => frame.check_sync(found, &header.sync),
            None => frame.check_sync(&fetch::bytes_at(&**source, frame.data.end, SYNC_BYTES)?, &header.sync),
        };
        found.map_err(|error| error.in_file(source.name()))
    }

    /// Passes over what is wrong at the next block, if the caller wants that.
    fn lost(&mut self, error: Error) -> Result<Task> {
        if !self.settings.ignore_errors || !is_damage(&error) {
            return Err(error);
        }
        let OpenFile { source, header, .. } = &*self.file;
        self.offset = SyncScanner::new(&**source, &header.sync).resume_after(self.offset)?;
        self.index += 1;
        Ok(Task::BadBlock(BadBlock::new(error, None, &self.file)))
    }

    /// Returns the header of the next block.
    fn frame(&mut self, supply: Supply) -> Result<BlockFrame> {
        let known = self.window.from(self.offset);
        if supply == Supply::Window || known.len() as u64 >= HEAD {
            return self.file.frame(self.offset, self.index, known);
        }
        let mut head = [0; HEAD as usize];
        let len = fetch::fill(&*self.file.source, self.offset, &mut head)?;
        self.window.count(self.offset..self.stop.min(self.offset + len as u64));
        self.file.frame(self.offset, self.index, &head[..len])
    }

    fn fill(&mut self, need: u64, want: u64) -> Result<()> {
        // Bytes after the last wanted block belong to another range.
        let want = want.min(self.stop - self.offset);
        self.window.fill(&*self.file.source, self.offset, need, want)
    }

    fn pass(&mut self, frame: &BlockFrame) {
        self.offset = frame.end();
        self.index += 1;
        // What damaged headers claim must not end the read: the consumer counts there.
        if !self.settings.ignore_errors {
            self.row = self.row.saturating_add(frame.rows);
        }
    }

    /// Whether a block is worth the walk that cuts it: it is more than a batch, or there are threads to share it that find
    /// no block of their own.
    fn is_large(&self, frame: &BlockFrame) -> bool {
        let ReadSettings { batch_rows, batch_bytes, threads, files_behind, .. } = self.settings;
        let bytes = frame.data.end - frame.data.start;
        // Between records of no bytes there is nothing to cut.
        if self.plan.rows_are_empty() {
            return false;
        }
        // The walk is serial, so cutting one block after the other is slower than a block a thread, but for the last.
        let left = self.stop.saturating_sub(frame.offset) / bytes.max(1) + files_behind as u64;
        let is_shared = threads > 1 && left < threads.min(ENOUGH_BLOCKS) as u64;
        let ratio = if threads > 1 { self.file.header.codec.expected_ratio() } else { 1 };
        let batches = if threads > 1 && !is_shared { 4 } else { 2 };
        bytes > LARGE_BLOCK && (is_shared || bytes.saturating_mul(ratio) > batch_bytes as u64)
            || frame.rows > batches * batch_rows as u64
    }

    /// Which rows of a block are wanted: how many to leave out, how many to take.
    fn wanted(&self, frame: &BlockFrame) -> (u64, u64) {
        let skip = self.rows.start.saturating_sub(self.row).min(frame.rows);
        let stop = self.rows.end.saturating_sub(self.row).min(frame.rows);
        (skip, stop.saturating_sub(skip))
    }
}
