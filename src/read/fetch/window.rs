//! The bytes of a file that tasks are cut from.

use std::sync::Arc;

use polars_buffer::Buffer;

use super::BufferPool;
use crate::Result;
use crate::read::stats::{Counters, add};
use crate::source::Source;

/// A stretch of a file, held in memory and moved along.
pub(crate) struct Window {
    bytes: Buffer<u8>,
    start: u64,
    buffers: Arc<BufferPool>,
}

impl Window {
    pub(crate) fn new(buffers: Arc<BufferPool>) -> Self {
        Self { bytes: Buffer::new(), start: 0, buffers }
    }

    /// Where the window begins and ends in the file.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    pub(crate) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
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
    pub(crate) fn fill(
        &mut self,
        source: &dyn Source,
        offset: u64,
        need: u64,
        want: u64,
        counters: &Counters,
    ) -> Result<()> {
        let left = source.size().saturating_sub(offset);
        if offset >= self.start && offset + need.min(left) <= self.end() {
            return Ok(());
        }
        self.release_before(offset);
        let len = usize::try_from(want.max(need).min(left)).unwrap_or(usize::MAX);
        let known = self.from(offset);
        let known = &known[..known.len().min(len)];
        let bytes = source.read_at_reusing(offset, len, known, self.buffers.acquire())?;
        add(&counters.bytes_read, (bytes.len() - known.len().min(bytes.len())) as u64);
        self.buffers.release(std::mem::replace(&mut self.bytes, bytes));
        self.start = offset;
        Ok(())
    }
}
