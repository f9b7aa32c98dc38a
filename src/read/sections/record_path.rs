//! A walk over the records of a part of a block, started before the offset of any of these records is known.
//!
//! Records have no markers: the next one begins where the one before ends. But a walk from an offset does not depend on how
//! it came there, so two walks that meet at an offset continue as one. A walk from a wrong offset usually meets the right
//! walk soon, or ends in a fault. A thread therefore walks over its part from the offset to which most of the first offsets
//! lead. If the walk over the parts before arrives at the beginning of this walk, this walk is valid. If not, only time is
//! lost: the walk from the parts before continues through this part.

use std::collections::HashMap;

use crate::binary::PADDING;
use crate::plan::Plan;
use crate::read::settings::READ_BYTES;

/// Walks that do not meet within this many records, or half this many bytes, count as different. Each offset is passed
/// once, so this takes less than a millisecond unless records are very long.
const ZONE_RECORDS: usize = 32;
const ZONE_BYTES: usize = 16 << 10;

/// A hint about the records in a section, known before its turn.
pub(super) struct RecordHint {
    pub(super) plan: Plan,
    /// The likely size of a record in bytes.
    pub(super) bytes: usize,
    /// True if a record begins at the start of the section.
    pub(super) begins_here: bool,
}

impl RecordHint {
    /// Returns the number of bytes after the section that its last record is likely to need.
    pub(super) fn lookahead(&self) -> u64 {
        (2 * self.bytes as u64).clamp(PADDING as u64, READ_BYTES)
    }
}

/// A walk over records to the end of a part.
pub(super) struct RecordPath {
    /// The offset in the source at which the walk begins.
    pub(super) begin: u64,
    /// The number of records that the walk has passed, and the offset of the next one.
    pub(super) records: u64,
    pub(super) stop: u64,
}

impl RecordPath {
    /// Finds the walk to which most offsets at the beginning of the part lead; `None` if all lead to faults.
    pub(super) fn find(hint: &RecordHint, start: u64, bytes: &[u8], end: usize) -> Option<Self> {
        let plan = &hint.plan;
        let zone = hint.bytes.saturating_mul(ZONE_RECORDS).clamp(ZONE_BYTES, bytes.len().max(ZONE_BYTES));
        let border = (zone / 2).min(end);
        let firsts = if hint.begins_here { 1 } else { (2 * hint.bytes).clamp(PADDING, border.max(PADDING)) };
        // The zone bounds walks from wrong offsets, however long the values that they decode.
        let within = bytes.get(..zone + PADDING).unwrap_or(bytes);
        if within.len() < PADDING {
            return None;
        }
        // The offset at which the walk from each passed offset leaves the zone, if it does.
        let (mut exits, mut votes) = (HashMap::new(), HashMap::new());
        for first in 0..firsts {
            let (mut pos, mut passed) = (first, Vec::new());
            let exit = loop {
                if let Some(known) = exits.get(&pos) {
                    break *known;
                }
                if pos >= border {
                    break Some(pos);
                }
                passed.push(pos);
                match plan.skip_records(within, pos, 1) {
                    (1, next, _) if next > pos => pos = next,
                    _ => break None,
                }
            };
            exits.extend(passed.into_iter().map(|pos| (pos, exit)));
            if let Some(exit) = exit {
                *votes.entry(exit).or_insert(0) += 1;
            }
        }
        let (begin, _) = votes.into_iter().max_by_key(|(exit, votes)| (*votes, *exit))?;
        let (records, stop, _) = plan.skip_within(bytes, begin, u64::MAX, end);
        Some(Self { begin: start + begin as u64, records, stop: start + stop as u64 })
    }
}
