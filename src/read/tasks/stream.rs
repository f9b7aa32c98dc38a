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

mod damage;
mod parts;
mod run;

use std::ops::Range;
use std::sync::Arc;

use run::{Supply, TASK_BYTES};

use super::ranges::Ranges;
use super::{LargeBlock, Part, Task};
use crate::Result;
use crate::container::BlockFrame;
use crate::executor::Claimed;
use crate::plan::Plan;
use crate::read::blocks::IndexEntry;
use crate::read::fetch::{self, BufferPool, Window};
use crate::read::files::OpenFile;
use crate::read::settings::ReadSettings;
use crate::read::stats::{Counters, add};

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
    /// Bytes and rows of the last run of blocks.
    last_run: (u64, u64),
    window: Window,
    /// What other threads fetch, and have fetched.
    ranges: Ranges,
    buffers: Arc<BufferPool>,
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
        let mut window = Window::new(buffers.clone(), counters.clone());
        if whole {
            window.count(0..file.header.size);
        }
        let (sample, large) = ((0, 0), None);
        let settings = settings.of_plan(&plan);
        Self {
            file,
            plan,
            settings,
            counters,
            rows,
            stop,
            offset,
            index,
            row,
            ramp,
            sample,
            last_run: sample,
            window,
            ranges,
            buffers,
            large,
        }
    }

    /// How many rows of the file lie behind the stream.
    pub(crate) fn row(&self) -> u64 {
        self.row
    }

    /// Where the next block begins.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Gives away the blocks that are left if they can be read in stretches: they are many, and small by the look of the
    /// first ones. Returns where they stand.
    pub(super) fn take_stretches(&mut self) -> Option<Range<u64>> {
        let is_small = self.large.is_none() && (1..run::HEADERS_ALONE).contains(&self.sample.0);
        let left = self.offset..self.stop.max(self.offset);
        if !self.settings.eager || !is_small || left.end - left.start <= TASK_BYTES.end {
            return None;
        }
        self.window.uncount(left.start);
        Some(left)
    }

    /// The next task in file order, for a thread whose turn it is; it brings what it has fetched.
    pub(crate) fn claim(&mut self, fetched: Option<Part>) -> Result<Claimed<Task>> {
        match (fetched, &mut self.large) {
            (Some(part), _) if part.block.is_none() => self.ranges.push(part),
            (Some(part), Some(large)) => large.put(part),
            (Some(_), None) | (None, _) => {}
        }
        if self.large.is_none() && self.is_awaited() {
            return Ok(Claimed::Again);
        }
        self.cut_task(true)
    }

    /// The same where one thread takes all tasks and fetches nothing before its turn; `None` where the file or what is
    /// wanted of it ends.
    pub(crate) fn next_task(&mut self) -> Result<Option<Task>> {
        match self.cut_task(false)? {
            Claimed::Task(task) => Ok(Some(task)),
            Claimed::Again | Claimed::End => Ok(None),
        }
    }

    /// The settings of the next task: the first ones are small.
    fn ramped(&self) -> ReadSettings {
        let batch_bytes = self.settings.batch_bytes.min(usize::try_from(self.ramp).unwrap_or(usize::MAX));
        ReadSettings { batch_bytes, ..self.settings }
    }

    /// Cuts the next task; `fetching`: from what was fetched before, if it can be.
    fn cut_task(&mut self, fetching: bool) -> Result<Claimed<Task>> {
        let task = self.cut(fetching);
        if !matches!(task, Ok(Claimed::Again)) {
            self.ramp = self.ramp.saturating_mul(GROWTH);
        }
        task
    }

    fn cut(&mut self, fetching: bool) -> Result<Claimed<Task>> {
        let settings = self.ramped();
        loop {
            if let Some(large) = &mut self.large {
                let Self { file, plan, window, .. } = self;
                if fetching && large.is_awaited(file, settings, window) {
                    return Ok(Claimed::Again);
                }
                if let Some(rows) = large.cut(file, plan, settings, window)? {
                    return Ok(Claimed::Task(Task::RecordRun(rows)));
                }
                self.large = None;
            }
            let frame = match self.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(Claimed::End),
                Err(error) => return self.lost(error).map(Claimed::Task),
            };
            let stop = self.row.saturating_add(frame.rows);
            if stop <= self.rows.start && frame.rows > 0 {
                add(&self.counters.blocks_skipped, 1);
                self.pass(&frame);
            } else if let Err(error) = self.file.check_size(&frame).and_then(|()| self.walk_over(&frame)) {
                return self.lost(error).map(Claimed::Task);
            } else if self.is_large(&frame) && !self.settings.ignore_errors {
                let wanted = self.wanted(&frame);
                add(&self.counters.blocks_read, 1);
                let Self { file, window, counters, row, buffers, .. } = self;
                let large = LargeBlock::open(file, frame.clone(), *row, wanted, window, counters, buffers.clone())?;
                self.large = Some(large);
                self.pass(&frame);
            } else {
                let task = self.run(frame).map(Task::Blocks).or_else(|error| self.lost(error));
                return task.map(Claimed::Task);
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
