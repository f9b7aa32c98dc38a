//! The ranges of a file that threads have reserved and fetched, in file order.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use crate::Source;
use crate::read::fetch::{BufferPool, FetchedRange, RangeRequest};

/// A ring of ranges. Threads fetch at most one each, and none is reserved while one waits to be cut.
pub(super) struct Ranges {
    buffers: Arc<BufferPool>,
    /// Where the last one ends.
    end: u64,
    /// How many are being fetched.
    awaited: usize,
    fetched: VecDeque<FetchedRange>,
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

    /// Takes note of a range of what is read up to `stop`; `block` is the likely size of its last block, which may end after
    /// the range.
    pub(super) fn reserve(
        &mut self,
        source: Arc<dyn Source>,
        range: Range<u64>,
        stop: u64,
        block: u64,
    ) -> RangeRequest {
        self.end = range.end;
        self.awaited += 1;
        RangeRequest { source, range, stop, slack: 2 * block, buffers: self.buffers.clone() }
    }

    /// Takes the range that a thread brings, in the order of the reservations.
    pub(super) fn push(&mut self, fetched: FetchedRange) {
        self.awaited -= 1;
        self.fetched.push_back(fetched);
    }

    /// Returns the range with the byte at `offset`. Ranges before it are dropped.
    pub(super) fn at(&mut self, offset: u64) -> Option<FetchedRange> {
        while self.fetched.front().is_some_and(|fetched| fetched.range.start <= offset) {
            let fetched = self.fetched.pop_front()?;
            if fetched.has(offset) {
                return Some(fetched);
            }
            fetched.release(&self.buffers);
        }
        None
    }
}
