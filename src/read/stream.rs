//! Cutting a file into tasks.
//!
//! The stream is behind a lock. Whoever holds it reads the next bytes, walks the block headers in them and takes a task
//! away; decompression and decoding happen outside. Inside a block that is large enough for several tasks, the walk goes
//! from record to record instead.

use std::ops::Range;
use std::sync::Arc;

use polars_buffer::Buffer;

use super::file::Opened;
use super::stats::{Counters, add};
use super::task::{Piece, Rows, Task, block_error, decompress};
use crate::binary::{PADDING, data_end};
use crate::codec::Decompressor;
use crate::container::BlockFrame;
use crate::plan::Plan;
use crate::{Codec, Error, Result};

/// A block of more compressed bytes than this may be several tasks.
const BIG_BLOCK: u64 = 1 << 20;

/// Least and most bytes that a task reads, unless one block has more.
const TASK_BYTES: Range<u64> = 256 << 10..8 << 20;

/// Bytes read to see a block's header, which is at most 20.
const HEAD: usize = 64;

/// How large the pieces are that a read is cut into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portions {
    pub(super) batch_rows: usize,
    pub(super) batch_bytes: usize,
    pub(super) threads: usize,
}

/// What has not been taken of a file.
pub(super) struct BlockStream {
    file: Arc<Opened>,
    plan: Plan,
    portions: Portions,
    counters: Arc<Counters>,
    /// Rows of the file that are wanted.
    rows: Range<u64>,
    /// Where the next block begins, its number, and the number of its first row.
    offset: u64,
    index: u64,
    row: u64,
    /// Bytes of the file from `window_start` on.
    window: Buffer<u8>,
    window_start: u64,
    big: Option<BigBlock>,
}

/// A block that is taken in several tasks.
struct BigBlock {
    frame: BlockFrame,
    /// Decompressed and padded.
    data: Buffer<u8>,
    pos: usize,
    /// Number of the next record in the block, how many more are wanted, and whether the block's last is among them.
    record: u64,
    wanted: u64,
    to_end: bool,
    first_row: u64,
}

impl BlockStream {
    pub(super) fn new(
        file: Arc<Opened>,
        plan: Plan,
        portions: Portions,
        rows: Range<u64>,
        counters: Arc<Counters>,
    ) -> Self {
        let offset = file.header.size;
        let (window, window_start) = (Buffer::new(), offset);
        Self { file, plan, portions, counters, rows, offset, index: 0, row: 0, window, window_start, big: None }
    }

    /// The next task in file order, `None` where the file or what is wanted of it ends.
    pub(super) fn next_task(&mut self) -> Result<Option<Task>> {
        loop {
            if let Some(big) = &mut self.big {
                if big.wanted > 0 {
                    return Ok(Some(Task::Rows(big.cut(&self.plan, self.portions))));
                }
                self.big = None;
            }
            let Some(frame) = self.next_frame()? else { return Ok(None) };
            let stop = self.row.saturating_add(frame.rows);
            if stop <= self.rows.start && frame.rows > 0 {
                add(&self.counters.blocks_skipped, 1);
                self.pass(&frame);
            } else if self.is_big(&frame) {
                self.big = Some(self.open_big(frame)?);
            } else {
                return self.run(frame).map(|run| Some(Task::Blocks(run)));
            }
        }
    }

    /// The header of the next block; `None` at the file's end and behind the last wanted row.
    fn next_frame(&mut self) -> Result<Option<BlockFrame>> {
        if self.offset >= self.file.source.size() || (self.row >= self.rows.end && self.rows.end != u64::MAX) {
            return Ok(None);
        }
        let skipping = self.row < self.rows.start;
        let ahead = if skipping { HEAD as u64 } else { TASK_BYTES.start };
        self.fill(HEAD as u64, ahead)?;
        let frame = self.file.frame(self.offset, self.index, self.ahead())?;
        if self.plan.rows_are_empty()
            && frame.rows.saturating_mul(self.plan.row_values as u64) > self.file.limits.zero_byte_items as u64
        {
            let message = format!("{} rows that take no bytes", frame.rows);
            return Err(block_error(Error::limit("zero_byte_items", message), &frame, &self.file));
        }
        Ok(Some(frame))
    }

    /// The bytes of the window from the next block on.
    fn ahead(&self) -> &[u8] {
        &self.window[(self.offset - self.window_start) as usize..]
    }

    /// Has at least `need` bytes from the next block on in the window, or all to the file's end; reads `want`.
    fn fill(&mut self, need: u64, want: u64) -> Result<()> {
        let left = self.file.source.size() - self.offset;
        let window_end = self.window_start + self.window.len() as u64;
        if self.offset >= self.window_start && self.offset + need.min(left) <= window_end {
            return Ok(());
        }
        let len = want.max(need).min(left) as usize;
        self.window = self.file.source.read_at(self.offset, len)?;
        self.window_start = self.offset;
        add(&self.counters.bytes_read, self.window.len() as u64);
        Ok(())
    }

    fn pass(&mut self, frame: &BlockFrame) {
        self.offset = frame.end();
        self.index += 1;
        self.row = self.row.saturating_add(frame.rows);
    }

    /// Whether a block is worth several tasks, where there are threads for them.
    fn is_big(&self, frame: &BlockFrame) -> bool {
        let bytes = frame.data.end - frame.data.start;
        self.portions.threads > 1 && (bytes > BIG_BLOCK || frame.rows > 2 * self.portions.batch_rows as u64)
    }

    /// Which rows of a block are wanted: how many to leave out, how many to take.
    fn wanted(&self, frame: &BlockFrame) -> (u64, u64) {
        let skip = self.rows.start.saturating_sub(self.row).min(frame.rows);
        let stop = self.rows.end.saturating_sub(self.row).min(frame.rows);
        (skip, stop.saturating_sub(skip))
    }

    /// The blocks from `first` on that make one task.
    fn run(&mut self, first: BlockFrame) -> Result<Vec<Piece>> {
        let bytes = first.end() - first.offset;
        let budget = self.task_bytes(&first);
        self.fill(bytes, budget.max(bytes))?;
        let (mut taken, mut rows) = (0, 0);
        let mut pieces = Vec::new();
        let mut frame = first;
        loop {
            taken += frame.end() - frame.offset;
            rows += frame.rows;
            pieces.push(self.piece(frame)?);
            let window_end = self.window_start + self.window.len() as u64;
            let full = taken >= budget || rows >= self.portions.batch_rows as u64;
            if full || self.row >= self.rows.end || self.offset >= window_end {
                break;
            }
            // What is cut off at the window's end begins the next task; what is wrong is found there too.
            match self.file.frame(self.offset, self.index, self.ahead()) {
                Ok(next) if next.end() <= window_end && !self.is_big(&next) => frame = next,
                _ => break,
            }
        }
        Ok(pieces)
    }

    /// Compressed bytes for one task: those of a batch by the look of the first block, but small enough at the end of
    /// the file that every thread has a share of what is left.
    fn task_bytes(&self, first: &BlockFrame) -> u64 {
        let left = self.file.source.size() - first.offset;
        let share = left / (2 * self.portions.threads as u64);
        let batch = match first.rows {
            0 => TASK_BYTES.start,
            rows => (first.end() - first.offset).saturating_mul(self.portions.batch_rows as u64) / rows,
        };
        let ratio = if self.file.header.codec == Codec::Null { 1 } else { 3 };
        let most = (self.portions.batch_bytes as u64 / ratio).min(TASK_BYTES.end);
        // A remainder smaller than a task goes with the task before it.
        batch.min(most).min(share.max(TASK_BYTES.start))
    }

    /// Takes one block out of the window.
    fn piece(&mut self, frame: BlockFrame) -> Result<Piece> {
        let (skip, take) = self.wanted(&frame);
        let start = (frame.data.start - self.window_start) as usize;
        let stop = (frame.end() - self.window_start) as usize;
        if stop > self.window.len() {
            return Err(block_error(Error::data("the file became shorter while it was read"), &frame, &self.file));
        }
        let bytes = self.window.clone().sliced(start..stop);
        let piece = Piece { first_row: self.row, bytes, skip, take, frame: frame.clone() };
        self.pass(&frame);
        add(&self.counters.blocks_read, 1);
        Ok(piece)
    }

    fn open_big(&mut self, frame: BlockFrame) -> Result<BigBlock> {
        let bytes = frame.end() - frame.offset;
        self.fill(bytes, bytes)?;
        let piece = self.piece(frame)?;
        let mut data = Vec::new();
        let padded = decompress(&piece, &self.file, &mut Decompressor::new(), &mut data, &self.counters)?;
        let data = if padded { piece.bytes.clone() } else { data.into() };
        let mut big = BigBlock {
            pos: 0,
            record: 0,
            wanted: piece.take,
            to_end: piece.skip + piece.take == piece.frame.rows,
            first_row: piece.first_row,
            frame: piece.frame,
            data,
        };
        big.pos = big.walk(&self.plan, piece.skip).map_err(|fault| block_error(fault.into_error(), &big.frame, &self.file))?;
        big.record = piece.skip;
        Ok(big)
    }
}

impl BigBlock {
    /// The position `n` records on.
    fn walk(&self, plan: &Plan, n: u64) -> std::result::Result<usize, crate::binary::Fault> {
        let mut pos = self.pos;
        for _ in 0..n {
            pos = plan.programs.skip(&plan.row, &self.data, pos)?;
        }
        Ok(pos)
    }

    /// Takes the next run of records.
    fn cut(&mut self, plan: &Plan, portions: Portions) -> Rows {
        let bytes = data_end(&self.data) as u64;
        let share = (self.frame.rows / (2 * portions.threads as u64)).max(4096);
        let by_bytes = (portions.batch_bytes as u64).saturating_mul(self.frame.rows) / bytes.max(1);
        let n = self.wanted.min(portions.batch_rows as u64).min(by_bytes.max(1)).min(share);
        let start = self.pos;
        let stop = match self.walk(plan, n) {
            Ok(stop) => Some(stop),
            // Decoding fails at the same place, and says where.
            Err(_) => None,
        };
        self.pos = stop.unwrap_or(self.data.len() - PADDING);
        self.wanted = if stop.is_some() { self.wanted - n } else { 0 };
        let last = self.to_end && self.wanted == 0;
        let first_row = self.first_row + self.record;
        let rows = Rows { frame: self.frame.clone(), data: self.data.clone(), start, stop, last, first_row, record: self.record, n };
        self.record += n;
        rows
    }
}
