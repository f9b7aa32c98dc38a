//! A walk over the records of a part of a block, begun before it is known where one of them begins.
//!
//! Records have no marks: where the next one begins is known by walking over the one before. But the walk from a position
//! does not depend on how it came there. So two walks that meet go on together, and a walk from a wrong position often
//! ends in a fault soon, or meets the right one. A thread walks over its part from where most of the first positions lead.
//! If the walk over the parts before comes to a position that was passed, all that follows is known. If not, nothing is
//! lost but the time: that walk goes on by itself.

use std::collections::HashMap;

use crate::binary::PADDING;
use crate::plan::Plan;
use crate::read::settings::READ_BYTES;

/// Walks that do not meet within so many records, or half so many bytes, are different ones. Each position is passed once,
/// so finding out takes less than a millisecond, unless records are very long.
const ZONE_RECORDS: usize = 32;
const ZONE_BYTES: usize = 16 << 10;

/// What is known of the records in a section before its turn.
pub(super) struct RecordHint {
    pub(super) plan: Plan,
    /// Likely bytes of one.
    pub(super) bytes: usize,
    /// Whether one begins where the section does.
    pub(super) begins_here: bool,
}

impl RecordHint {
    /// Bytes after the section that its last record is likely to need.
    pub(super) fn lookahead(&self) -> u64 {
        (2 * self.bytes as u64).clamp(PADDING as u64, READ_BYTES)
    }
}

/// A walk over records to the end of a part.
pub(crate) struct RecordPath {
    /// Positions in the source that lead to the walk, ascending, and how many records there are from each to its beginning.
    begins: Vec<(u64, u64)>,
    /// How many records the walk has passed, and where the next one begins.
    records: u64,
    stop: u64,
}

/// Where a walk through the zone leaves it, if it does, and after how many records.
type Exit = (Option<usize>, u64);

impl RecordPath {
    /// The walk from where most positions at the beginning of the part lead; `None` if all lead to faults.
    pub(super) fn find(hint: &RecordHint, start: u64, bytes: &[u8], end: usize) -> Option<Self> {
        let plan = &hint.plan;
        let zone = hint.bytes.saturating_mul(ZONE_RECORDS).clamp(ZONE_BYTES, bytes.len().max(ZONE_BYTES));
        let border = (zone / 2).min(end);
        let firsts = if hint.begins_here { 1 } else { (2 * hint.bytes).clamp(PADDING, border.max(PADDING)) };
        // Walks from wrong positions end with the zone, however long the value is that they see.
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

    /// How many records there are from `offset` to the walk's end, and where that is, if one begins there.
    pub(super) fn from(&self, offset: u64) -> Option<(u64, u64)> {
        let at = self.begins.binary_search_by_key(&offset, |(begin, _)| *begin).ok()?;
        Some((self.begins[at].1 + self.records, self.stop))
    }
}

/// Walks from each of the first positions to `border`; returns where each position that was passed leads.
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
