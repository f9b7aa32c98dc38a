//! Runs of blocks: which of them make one task, and where their bytes come from.

use std::ops::Range;

use polars_buffer::Buffer;

use super::BlockStream;
use crate::container::BlockFrame;
use crate::read::settings::size_below;
use crate::read::stats::add;
use crate::read::tasks::{BlockSlice, Blocks};
use crate::{Error, Result};

/// Least and most bytes that a task reads, unless one block has more.
pub(super) const TASK_BYTES: Range<u64> = 256 << 10..2 << 20;

/// Blocks of so many bytes are found by reading their headers one by one: threads that fetched ranges would often find no
/// block that begins in theirs.
pub(super) const HEADERS_ALONE: u64 = 128 << 10;

/// Columns of fewer rows than this are too small for what their memory leaves empty to matter.
const FEW_ROWS: u64 = 1 << 10;

/// Where the bytes of a task come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Supply {
    /// They are read in turn.
    Window,
    /// A range was fetched; the rest of the last block is fetched by the task.
    Range,
    /// All are fetched by the task.
    Task,
}

impl BlockStream {
    /// The blocks from `first` on that make one task.
    pub(super) fn run(&mut self, first: BlockFrame) -> Result<Blocks> {
        let bytes = first.end() - first.offset;
        self.sample = (bytes, first.rows);
        let budget = self.task_bytes(self.offset);
        let supply = self.supply();
        if supply == Supply::Window {
            self.fill(bytes, budget.max(bytes))?;
        }
        // A range is taken whole, unless it holds much more than a batch.
        let (budget, most_rows) = match supply {
            Supply::Range => (u64::MAX, self.settings.batch_rows * 5 / 4),
            Supply::Window | Supply::Task => (budget, self.settings.batch_rows),
        };
        let (start, reach) = match supply {
            Supply::Task => (first.offset, self.stop),
            Supply::Window | Supply::Range => (self.window.start(), self.window.reach().min(self.stop)),
        };
        let (mut taken, mut rows) = (0, 0);
        let mut slices = Vec::new();
        let mut frame = first;
        loop {
            taken += frame.end() - frame.offset;
            rows += frame.rows;
            slices.push(self.slice(frame, start, supply)?);
            let full = taken >= budget || rows >= most_rows as u64;
            if full || self.row >= self.rows.end || self.offset >= reach {
                break;
            }
            // What is cut off at the window's end begins the next task; what is wrong is found there too.
            match self.frame(supply) {
                Ok(next) if self.is_cut_off(&next, supply) || self.is_large(&next) => break,
                Ok(next) if self.file.check_size(&next).is_err() || self.is_oversized(&next) => break,
                Ok(next) if supply == Supply::Task && taken + (next.end() - next.offset) > budget => break,
                Ok(next) if self.settings.ignore_errors && self.check_marker(&next).is_err() => break,
                Ok(next) => frame = next,
                _ => break,
            }
        }
        self.last_run = (taken, rows);
        let known = if supply == Supply::Task { start } else { self.window.end() };
        let missing = known..self.offset.max(known);
        let window = match supply {
            Supply::Task => Buffer::new(),
            // Nothing else is cut from the range, so the task has its memory to itself.
            Supply::Range if self.offset >= reach => self.window.take(),
            Supply::Window | Supply::Range => self.window.bytes(),
        };
        self.window.count(missing.clone());
        Ok(Blocks { window, missing, slices, stop: self.stop })
    }

    /// Where the bytes of the next block come from.
    pub(super) fn supply(&self) -> Supply {
        if self.window.has_range_at(self.offset) {
            Supply::Range
        } else if self.sample.0 >= HEADERS_ALONE && !self.file.source.is_remote() {
            Supply::Task
        } else {
            Supply::Window
        }
    }

    /// Whether a block ends after the window, and no task fetches the rest of it.
    fn is_cut_off(&self, frame: &BlockFrame, supply: Supply) -> bool {
        supply == Supply::Window && frame.end() > self.window.end()
    }

    /// Compressed bytes for one task at `offset`: those of a batch, or of the rows that are wanted, by the look of the
    /// sample, but small enough at the end of the file that every thread has a share of what is left.
    pub(super) fn task_bytes(&self, offset: u64) -> u64 {
        let left = self.file.source.size() - offset;
        let share = left / (2 * self.settings.threads as u64);
        let wanted = self.rows.end.saturating_sub(self.row).min(self.settings.batch_rows as u64);
        let batch = match self.sample {
            (_, 0) => TASK_BYTES.start,
            (bytes, rows) => bytes.saturating_mul(wanted) / rows,
        };
        let ratio = self.file.header.codec.expected_ratio();
        let most = (self.settings.batch_bytes as u64 / ratio).min(TASK_BYTES.end).min(self.settings.window_bytes);
        self.filling(batch.min(most).min(share.max(TASK_BYTES.start)).min(self.ramp))
    }

    /// So much less than `bytes` that the rows in it, by the look of the last run, just fill memory of a size that
    /// allocators have: what a column does not fill is lost.
    fn filling(&self, bytes: u64) -> u64 {
        let (run_bytes, run_rows) = self.last_run;
        let rows = bytes.saturating_mul(run_rows).checked_div(run_bytes).unwrap_or(0);
        if rows < FEW_ROWS {
            return bytes;
        }
        let size = size_below(rows);
        // Rows differ, and a block more may begin.
        let target = (size - size / 256).saturating_sub(self.sample.1);
        target.saturating_mul(run_bytes) / run_rows
    }

    /// Takes one block, whose bytes are counted from `start`.
    fn slice(&mut self, frame: BlockFrame, start: u64, supply: Supply) -> Result<BlockSlice> {
        let (skip, take) = self.wanted(&frame);
        if self.is_cut_off(&frame, supply) {
            return Err(self.file.block_error(Error::data("the file became shorter while it was read"), &frame));
        }
        let range = (frame.data.start - start) as usize..(frame.end() - start) as usize;
        let slice = BlockSlice { first_row: self.row, range, skip, take, frame };
        if supply == Supply::Task {
            // Before the next header is read: bytes count in file order.
            self.window.count(slice.frame.offset..slice.frame.end());
        }
        self.pass(&slice.frame);
        add(&self.counters.blocks_read, 1);
        Ok(slice)
    }
}
