//! The bytes of a file that tasks are cut from.

use std::sync::{Arc, Mutex, PoisonError};

use polars_buffer::Buffer;

use super::stats::{Counters, add};
use crate::Result;
use crate::source::Source;

/// A stretch of a file, held in memory and moved along.
pub(super) struct Window {
    bytes: Buffer<u8>,
    start: u64,
    spare: Arc<Spare>,
}

/// Memory of windows that nobody looks at any more. Reading into it costs neither fresh pages nor zeros.
#[derive(Default)]
pub(super) struct Spare(Mutex<Vec<Vec<u8>>>);

/// More used windows than this, and larger ones, are given back to the allocator.
const KEPT: usize = 4;
const KEPT_BYTES: usize = 32 << 20;

impl Spare {
    fn take(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Takes a window's memory back if nobody else has a part of it.
    pub(super) fn give(&self, bytes: Buffer<u8>) {
        if let Some(memory) = bytes.into_mut().right() {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < KEPT && memory.capacity() <= KEPT_BYTES {
                kept.push(memory);
            }
        }
    }
}

impl Window {
    pub(super) fn new(spare: Arc<Spare>) -> Self {
        Self { bytes: Buffer::new(), start: 0, spare }
    }

    /// Where the window begins and ends in the file.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    pub(super) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// All of its bytes, to be kept by a task.
    pub(super) fn bytes(&self) -> Buffer<u8> {
        self.bytes.clone()
    }

    /// The bytes from `offset` on.
    pub(super) fn from(&self, offset: u64) -> &[u8] {
        offset.checked_sub(self.start).and_then(|skip| self.bytes.get(skip as usize..)).unwrap_or_default()
    }

    /// Lets go of all bytes unless those at `offset` are among them.
    pub(super) fn release_before(&mut self, offset: u64) {
        if self.from(offset).is_empty() {
            self.spare.give(std::mem::take(&mut self.bytes));
        }
    }

    /// Makes sure of `need` bytes from `offset` on, or of all to the file's end; where that takes a read, reads `want`.
    /// Bytes that are in the window already are not read again.
    pub(super) fn fill(
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
        let bytes = source.read_at_reusing(offset, len, known, self.spare.take())?;
        add(&counters.bytes_read, (bytes.len() - known.len().min(bytes.len())) as u64);
        self.spare.give(std::mem::replace(&mut self.bytes, bytes));
        self.start = offset;
        Ok(())
    }
}
