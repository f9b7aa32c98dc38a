//! The parts of a file that threads fetch before their turn.

use std::ops::Range;

use super::run::HEADERS_ALONE;
use super::{BlockStream, GROWTH, HEAD};
use crate::read::fetch::RangeRequest;
use crate::read::tasks::PartRequest;

impl BlockStream {
    /// Takes note of the part that the next thread fetches; `None` if its turn has to come first.
    pub(crate) fn reserve(&mut self) -> Option<PartRequest> {
        let settings = self.ramped();
        let Self { file, plan, buffers, .. } = self;
        let part = match &mut self.large {
            Some(large) => large.reserve(file, plan, settings, buffers)?,
            None => self.reserve_range()?,
        };
        self.ramp = self.ramp.saturating_mul(GROWTH);
        Some(part)
    }

    fn reserve_range(&mut self) -> Option<PartRequest> {
        let range = self.next_range()?;
        self.ranges.reserve(range.end);
        let (source, buffers) = (self.file.source.clone(), self.buffers.clone());
        // The last block may end after the range.
        let slack = 2 * self.sample.0;
        let request = RangeRequest { source, range, stop: self.stop, lookahead: HEAD, slack, buffers };
        Some(PartRequest { request, records: None })
    }

    /// The range to fetch next, if blocks may begin in it that are wanted.
    fn next_range(&self) -> Option<Range<u64>> {
        let (bytes, rows) = self.sample;
        let start = self.ranges.end().max(self.offset);
        // Rows between here and there, by the look of the sample.
        let likely = (start - self.offset).checked_mul(rows)?.checked_div(bytes)?;
        let wanted = self.rows.end == u64::MAX || self.row.saturating_add(likely) < self.rows.end;
        let is_near = !self.file.source.is_remote() && bytes < HEADERS_ALONE;
        let is_next = self.row >= self.rows.start && !self.has_fetched();
        let range = start..self.stop.min(start + self.task_bytes(start));
        (wanted && is_near && is_next && !range.is_empty()).then_some(range)
    }

    /// Whether there are bytes to cut a task from.
    fn has_fetched(&self) -> bool {
        self.window.has_range_at(self.offset) || self.ranges.has_fetched()
    }

    /// Shows the range with the next block. Returns true if there is none, but threads fetch or ought to fetch it.
    pub(super) fn is_awaited(&mut self) -> bool {
        if self.window.has_range_at(self.offset) {
            return false;
        }
        match self.ranges.at(self.offset) {
            Some(part) => self.window.show(part.fetched),
            None => return self.ranges.are_awaited(self.offset) || self.next_range().is_some(),
        }
        false
    }
}
