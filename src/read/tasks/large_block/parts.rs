//! The parts of a large block that threads fetch before their turn.

use std::ops::Range;
use std::sync::Arc;

use super::{LEAST_PART_BYTES, LargeBlock, PART_BYTES};
use crate::binary::PADDING;
use crate::plan::Plan;
use crate::read::fetch::{BufferPool, RangeRequest, Window};
use crate::read::files::OpenFile;
use crate::read::settings::ReadSettings;
use crate::read::tasks::part::Records;
use crate::read::tasks::{Part, PartRequest};
use crate::source::Source;

/// Most bytes that are fetched after a part for its last record.
const MOST_LOOKAHEAD: u64 = 64 << 10;

impl LargeBlock {
    /// Takes note of the part that the next thread fetches; `None` if its turn has to come first.
    pub(in crate::read::tasks) fn reserve(
        &mut self,
        file: &OpenFile,
        plan: &Plan,
        settings: ReadSettings,
        buffers: &Arc<BufferPool>,
    ) -> Option<PartRequest> {
        let range = self.next_part(file, settings)?;
        self.parts.reserve(range.end);
        let bytes = (self.stop - self.start) / self.frame.rows.max(1);
        let lookahead = (2 * bytes).clamp(PADDING as u64, MOST_LOOKAHEAD) + PADDING as u64;
        let records = Records {
            block: self.frame.index,
            plan: plan.clone(),
            bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
            begin_here: range.start == self.offset,
        };
        let (source, stop) = (self.source(file).clone(), self.stop + PADDING as u64);
        let request = RangeRequest { source, range, stop, lookahead, slack: 0, buffers: buffers.clone() };
        Some(PartRequest { request, records: Some(records) })
    }

    /// The part to fetch next, if records may begin in it that are wanted.
    fn next_part(&self, file: &OpenFile, settings: ReadSettings) -> Option<Range<u64>> {
        let is_near = self.data.is_some() || !file.source.is_remote();
        let is_next = self.skip == 0 && !self.broken && self.part.is_none() && !self.parts.has_fetched();
        // Parts that hold several batches would be cut under the lock, and leave small batches behind.
        let is_one_batch = self.rows_in(LEAST_PART_BYTES) <= settings.batch_rows as u64;
        if !is_near || !is_next || !is_one_batch {
            return None;
        }
        let start = self.parts.end().max(self.offset);
        let before = self.rows_in(start - self.offset);
        let take = self.take.checked_sub(before)?;
        let rows = self.run_rows(settings, self.record + before, take);
        let bytes = u128::from(rows) * u128::from(self.stop - self.start) / u128::from(self.frame.rows.max(1));
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX).clamp(LEAST_PART_BYTES, PART_BYTES);
        let range = start..self.stop.min(start + bytes);
        (take > 0 && !range.is_empty()).then_some(range)
    }

    /// How many rows so many bytes are likely to hold.
    pub(super) fn rows_in(&self, bytes: u64) -> u64 {
        let rows = u128::from(bytes) * u128::from(self.frame.rows) / u128::from((self.stop - self.start).max(1));
        u64::try_from(rows).unwrap_or(u64::MAX)
    }

    /// Takes a part that a thread brings, unless it is of another block.
    pub(in crate::read::tasks) fn put(&mut self, part: Part) {
        if part.block == Some(self.frame.index) {
            self.parts.push(part);
        }
    }

    /// Shows the part with the next record. Returns true if there is none, but threads fetch or ought to fetch it.
    pub(in crate::read::tasks) fn is_awaited(
        &mut self,
        file: &OpenFile,
        settings: ReadSettings,
        window: &mut Window,
    ) -> bool {
        if self.part.is_some() {
            return false;
        }
        self.part = self.parts.at(self.offset);
        match &self.part {
            Some(_) if self.data.is_some() => false,
            Some(Part { fetched, .. }) => {
                window.count(fetched.range.start..fetched.range.start + fetched.bytes().len() as u64);
                false
            }
            None => self.parts.are_awaited(self.offset) || self.next_part(file, settings).is_some(),
        }
    }

    fn source<'a>(&'a self, file: &'a OpenFile) -> &'a Arc<dyn Source> {
        self.data.as_ref().unwrap_or(&file.source)
    }
}
