//! Cutting a file into tasks.
//!
//! The stream is behind a lock. Whoever holds it reads the next bytes, walks the block headers in them and takes a task
//! away; decompression and decoding happen outside. A block that is large enough for several tasks is cut between
//! records instead (`big`).

use std::ops::Range;
use std::sync::Arc;

use super::{BlockSlice, Blocks, LargeBlock, Task};
use crate::container::{BlockFrame, SYNC_BYTES};
use crate::plan::Plan;
use crate::read::blocks::{IndexEntry, SyncScanner};
use crate::read::fetch::{self, BufferPool, Window};
use crate::read::files::{BadBlock, OpenFile, is_damage};
use crate::read::settings::ReadSettings;
use crate::read::stats::{Counters, add};
use crate::{Error, Result};

/// A block of more compressed bytes than this may be several tasks.
const LARGE_BLOCK: u64 = 1 << 20;

/// Least and most bytes that a task reads, unless one block has more.
const TASK_BYTES: Range<u64> = 256 << 10..8 << 20;

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
        let window = Window::new(buffers);
        // A small file is not worth two tasks, unless it is known that not all of it is wanted.
        let small = rows.end == u64::MAX && stop - offset <= TASK_BYTES.start;
        let ramp = if small { u64::MAX } else { FIRST_BYTES };
        let whole = offset == file.header.size;
        let known = if rows.start > 0 && whole { file.entry_before(rows.start) } else { None };
        let IndexEntry { offset, blocks: index, rows: row } =
            known.unwrap_or(IndexEntry { offset, ..IndexEntry::default() });
        add(&counters.blocks_skipped, index);
        if whole {
            add(&counters.bytes_read, file.header.size);
        }
        let (sample, large) = ((0, 0), None);
        let settings = settings.of_plan(&plan);
        Self { file, plan, settings, counters, rows, stop, offset, index, row, ramp, sample, window, large }
    }

    /// How many rows of the file lie behind the stream.
    pub(crate) fn row(&self) -> u64 {
        self.row
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
                let Self { file, plan, counters, window, .. } = self;
                if let Some(rows) = large.cut(file, plan, settings, window, counters)? {
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
        let skipping = self.row < self.rows.start;
        self.fill(HEAD, if skipping { HEAD } else { self.task_bytes() })?;
        let frame = self.file.frame(self.offset, self.index, self.window.from(self.offset))?;
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

    fn fill(&mut self, need: u64, want: u64) -> Result<()> {
        // What stands behind the last block is for somebody else.
        let want = want.min(self.stop - self.offset);
        self.window.fill(&*self.file.source, self.offset, need, want, &self.counters)
    }

    fn pass(&mut self, frame: &BlockFrame) {
        self.offset = frame.end();
        self.index += 1;
        // What damaged headers claim must not end the read: the consumer counts there.
        if !self.settings.ignore_errors {
            self.row = self.row.saturating_add(frame.rows);
        }
    }

    /// Whether a block is worth the walk that cuts it: it is more than a batch, or there are threads to share it.
    fn is_large(&self, frame: &BlockFrame) -> bool {
        let ReadSettings { batch_rows, batch_bytes, threads, .. } = self.settings;
        let bytes = frame.data.end - frame.data.start;
        // Between records of no bytes there is nothing to cut.
        if self.plan.rows_are_empty() {
            return false;
        }
        bytes > LARGE_BLOCK && (threads > 1 || bytes > batch_bytes as u64) || frame.rows > 2 * batch_rows as u64
    }

    /// Which rows of a block are wanted: how many to leave out, how many to take.
    fn wanted(&self, frame: &BlockFrame) -> (u64, u64) {
        let skip = self.rows.start.saturating_sub(self.row).min(frame.rows);
        let stop = self.rows.end.saturating_sub(self.row).min(frame.rows);
        (skip, stop.saturating_sub(skip))
    }

    /// The blocks from `first` on that make one task.
    fn run(&mut self, first: BlockFrame) -> Result<Blocks> {
        let bytes = first.end() - first.offset;
        self.sample = (bytes, first.rows);
        let budget = self.task_bytes();
        self.fill(bytes, budget.max(bytes))?;
        let (mut taken, mut rows) = (0, 0);
        let mut slices = Vec::new();
        let mut frame = first;
        loop {
            taken += frame.end() - frame.offset;
            rows += frame.rows;
            slices.push(self.slice(frame)?);
            let full = taken >= budget || rows >= self.settings.batch_rows as u64;
            if full || self.row >= self.rows.end || self.offset >= self.window.end().min(self.stop) {
                break;
            }
            // What is cut off at the window's end begins the next task; what is wrong is found there too.
            match self.file.frame(self.offset, self.index, self.window.from(self.offset)) {
                Ok(next) if next.end() > self.window.end() || self.is_large(&next) => break,
                Ok(next) if self.settings.ignore_errors && self.check_marker(&next).is_err() => break,
                Ok(next) => frame = next,
                _ => break,
            }
        }
        Ok(Blocks { window: self.window.bytes(), slices, stop: self.stop })
    }

    /// Compressed bytes for one task: those of a batch, or of the rows that are wanted, by the look of the sample, but
    /// small enough at the end of the file that every thread has a share of what is left.
    fn task_bytes(&self) -> u64 {
        let left = self.file.source.size() - self.offset;
        let share = left / (2 * self.settings.threads as u64);
        let wanted = self.rows.end.saturating_sub(self.row).min(self.settings.batch_rows as u64);
        let batch = match self.sample {
            (_, 0) => TASK_BYTES.start,
            (bytes, rows) => bytes.saturating_mul(wanted) / rows,
        };
        let ratio = self.file.header.codec.expected_ratio();
        let most = (self.settings.batch_bytes as u64 / ratio).min(TASK_BYTES.end);
        batch.min(most).min(share.max(TASK_BYTES.start)).min(self.ramp)
    }

    /// Takes one block out of the window.
    fn slice(&mut self, frame: BlockFrame) -> Result<BlockSlice> {
        let (skip, take) = self.wanted(&frame);
        if frame.end() > self.window.end() {
            return Err(self.file.block_error(Error::data("the file became shorter while it was read"), &frame));
        }
        let start = (frame.data.start - self.window.start()) as usize;
        let stop = (frame.end() - self.window.start()) as usize;
        let slice = BlockSlice { first_row: self.row, range: start..stop, skip, take, frame };
        self.pass(&slice.frame);
        add(&self.counters.blocks_read, 1);
        Ok(slice)
    }
}
