//! The bytes of a file that tasks are cut from.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use polars_buffer::Buffer;

use super::{BufferPool, FetchedRange};
use crate::Result;
use crate::read::stats::{Counters, add};
use crate::source::Source;

/// A stretch of a file, held in memory and moved along.
pub(crate) struct Window {
    bytes: Buffer<u8>,
    start: u64,
    /// Where the range ends that one thread has fetched: blocks that begin before it are the window's.
    range_end: Option<u64>,
    /// Bytes of the file before this one are counted as read.
    counted: u64,
    buffers: Arc<BufferPool>,
    counters: Arc<Counters>,
}

impl Window {
    pub(crate) fn new(buffers: Arc<BufferPool>, counters: Arc<Counters>) -> Self {
        Self { bytes: Buffer::new(), start: 0, range_end: None, counted: 0, buffers, counters }
    }

    /// Where the window begins and ends in the file.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    pub(crate) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Blocks that begin before this byte may be cut from the window.
    pub(crate) fn reach(&self) -> u64 {
        self.range_end.unwrap_or(self.end())
    }

    /// Whether a block at `offset` is in a range that was fetched.
    pub(crate) fn has_range_at(&self, offset: u64) -> bool {
        self.range_end.is_some_and(|end| offset < end) && !self.from(offset).is_empty()
    }

    /// Shows a range that was fetched.
    pub(crate) fn show(&mut self, fetched: FetchedRange) {
        let FetchedRange { range, bytes } = fetched;
        self.count(range.start..range.start + bytes.len() as u64);
        self.buffers.release(std::mem::replace(&mut self.bytes, bytes));
        (self.start, self.range_end) = (range.start, Some(range.end));
    }

    /// Counts the bytes of a range as read, each of the file once. Ranges come in file order.
    pub(crate) fn count(&mut self, range: Range<u64>) {
        let start = range.start.max(self.counted);
        add(&self.counters.bytes_read, range.end.saturating_sub(start));
        self.counted = start.max(range.end);
    }

    /// Takes back what is counted from `offset` on, which somebody else reads again.
    pub(crate) fn uncount(&mut self, offset: u64) {
        let more = self.counted.saturating_sub(offset);
        self.counters.bytes_read.fetch_sub(more, Ordering::Relaxed);
        self.counted -= more;
    }

    /// Gives its bytes away.
    pub(crate) fn take(&mut self) -> Buffer<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// All of its bytes, to be kept by a task.
    pub(crate) fn bytes(&self) -> Buffer<u8> {
        self.bytes.clone()
    }

    /// The bytes from `offset` on.
    pub(crate) fn from(&self, offset: u64) -> &[u8] {
        offset.checked_sub(self.start).and_then(|skip| self.bytes.get(skip as usize..)).unwrap_or_default()
    }

    /// Lets go of all bytes unless those at `offset` are among them.
    pub(crate) fn release_before(&mut self, offset: u64) {
        if self.from(offset).is_empty() {
            self.buffers.release(std::mem::take(&mut self.bytes));
        }
    }

    /// Makes sure of `need` bytes from `offset` on, or of all to the file's end; where that takes a read, reads `want`.
    /// Bytes that are in the window already are not read again.
    pub(crate) fn fill(&mut self, source: &dyn Source, offset: u64, need: u64, want: u64) -> Result<()> {
        let left = source.size().saturating_sub(offset);
        if offset >= self.start && offset + need.min(left) <= self.end() {
            return Ok(());
        }
        self.release_before(offset);
        let len = usize::try_from(want.max(need).min(left)).unwrap_or(usize::MAX);
        let known = self.from(offset);
        let known = &known[..known.len().min(len)];
        let bytes = source.read_at_reusing(offset, len, known, self.buffers.acquire())?;
        self.count(offset..offset + bytes.len() as u64);
        self.buffers.release(std::mem::replace(&mut self.bytes, bytes));
        (self.start, self.range_end) = (offset, None);
        Ok(())
    }
}
