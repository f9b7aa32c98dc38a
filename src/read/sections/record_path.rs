//! A walk over the records of a part of a block, started before the offset of any of these records is known.
//!
//! Records have no markers: the next one begins where the one before ends. But a walk from an offset does not depend on how
//! it came there, so two walks that meet at an offset continue as one. A walk from a wrong offset usually meets the right
//! walk soon, or ends in a fault. A thread therefore walks over its part from the offset to which most of the first offsets
//! lead. If the walk over the parts before reaches an offset that was passed, the rest of this walk is valid. If not, only
//! time is lost: the walk from the parts before continues through this part.

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
pub(crate) struct RecordPath {
    /// Offsets in the source that lead to the walk, ascending, each with the number of records up to the walk's beginning.
    begins: Vec<(u64, u64)>,
    /// The number of records the walk has passed, and the offset of the next one.
    records: u64,
    stop: u64,
}

/// The offset at which a walk leaves the zone, if it does, and the number of records before.
type Exit = (Option<usize>, u64);

impl RecordPath {
    /// Finds the walk to which most offsets at the beginning of the part lead; `None` if all lead to faults.
    pub(super) fn find(hint: &RecordHint, start: u64, bytes: &[u8], end: usize) -> Option<Self> {
        let plan = &hint.plan;
        let zone = hint.bytes.saturating_mul(ZONE_RECORDS).clamp(ZONE_BYTES, bytes.len().max(ZONE_BYTES));
        let border = (zone / 2).min(end);
        let firsts = if hint.begins_here { 1 } else { (2 * hint.bytes).clamp(PADDING, border.max(PADDING)) };
        // The zone bounds walks from wrong offsets, however long the values that they decode.
        let exits = exits(plan, bytes.get(..zone + PADDING).unwrap_or(bytes), firsts, border)?;
        let mut votes = HashMap::new();
        for first in 0..firsts {
            if let Some((Some(exit), _)) = exits.get(&first) {
                *votes.entry(*exit).or_insert(0) += 1;
            }
        }
        let exit = votes.into_iter().max_by_key(|(exit, votes)| (*votes, *exit)).map(|(exit, _)| exit)?;
        let (records, stop, _) = plan.skip_within(bytes, exit, u64::MAX, end);
        let leading = exits.iter().filter(|(_, (other, _))| *other == Some(exit));
        let mut begins: Vec<_> = leading.map(|(pos, (_, n))| (start + *pos as u64, *n)).collect();
        begins.push((start + exit as u64, 0));
        begins.sort_unstable();
        Some(Self { begins, records, stop: start + stop as u64 })
    }

    /// Returns the number of records from `offset` to the walk's end, and that end, if a known record begins at `offset`.
    pub(super) fn from(&self, offset: u64) -> Option<(u64, u64)> {
        let at = self.begins.binary_search_by_key(&offset, |(begin, _)| *begin).ok()?;
        Some((self.begins[at].1 + self.records, self.stop))
    }
}

/// Walks from each of the first offsets to `border`; returns the exit for each offset that was passed.
fn exits(plan: &Plan, bytes: &[u8], firsts: usize, border: usize) -> Option<HashMap<usize, Exit>> {
    if bytes.len() < PADDING {
        return None;
    }
    let (mut exits, mut passed) = (HashMap::new(), Vec::new());
    for first in 0..firsts {
        let mut pos = first;
        let (exit, mut records) = loop {
            if let Some(known) = exits.get(&pos) {
                break *known;
            }
            if pos >= border {
                break (Some(pos), 0);
            }
            passed.push(pos);
            match plan.skip_records(bytes, pos, 1) {
                (1, next, _) if next > pos => pos = next,
                _ => break (None, 0),
            }
        };
        for pos in passed.drain(..).rev() {
            records += 1;
            exits.insert(pos, (exit, records));
        }
    }
    Some(exits)
}
