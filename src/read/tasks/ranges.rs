//! The ranges of a file, or of a large block, that threads have reserved and fetched, in order.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Part;
use crate::read::fetch::BufferPool;

/// A ring of ranges. Threads fetch at most one each, and none is reserved while one waits to be cut.
pub(super) struct Ranges {
    buffers: Arc<BufferPool>,
    /// Where the last one ends.
    end: u64,
    /// How many are being fetched.
    awaited: usize,
    fetched: VecDeque<Part>,
}

impl Ranges {
    pub(super) fn new(buffers: Arc<BufferPool>) -> Self {
        Self { buffers, end: 0, awaited: 0, fetched: VecDeque::new() }
    }

    /// Where the next range may begin.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    pub(super) fn has_fetched(&self) -> bool {
        !self.fetched.is_empty()
    }

    /// Whether another thread fetches the byte at `offset`.
    pub(super) fn are_awaited(&self, offset: u64) -> bool {
        self.awaited > 0 && offset < self.end
    }

    /// Takes note of a range that ends at `end`.
    pub(super) fn reserve(&mut self, end: u64) {
        self.end = end;
        self.awaited += 1;
    }

    /// Takes the range that a thread brings, in the order of the reservations.
    pub(super) fn push(&mut self, part: Part) {
        self.awaited -= 1;
        self.fetched.push_back(part);
    }

    /// Returns the range with the byte at `offset`. Ranges before it are dropped.
    pub(super) fn at(&mut self, offset: u64) -> Option<Part> {
        while self.fetched.front().is_some_and(|part| part.fetched.range.start <= offset) {
            let part = self.fetched.pop_front()?;
            if part.fetched.has(offset) {
                return Some(part);
            }
            part.fetched.release(&self.buffers);
        }
        None
    }
}
