//! Counting blocks and rows, from one block header to the next.
//!
//! A header is a read of its own, and a large file has many. So every thread begins at a sync marker of its own, somewhere
//! in the file. Such a marker may be data that looks like one: the count holds only where each thread came out exactly
//! where the next one began; otherwise, and where anything is wrong, one thread walks from the beginning.

use rayon::prelude::*;

use super::file::Opened;
use super::pool;
use crate::Result;
use crate::container::{BlockWalk, SYNC_BYTES, Totals};

/// A part of fewer bytes is not worth a thread.
const PART_BYTES: u64 = 4 << 20;

/// Bytes in which a part has to find a marker: where blocks are larger, there are few of them.
const SEARCH_BYTES: usize = 128 << 10;

/// What a whole file holds.
pub(super) fn totals(file: &Opened) -> Result<Totals> {
    let in_parts = match parts(file) {
        0 | 1 => None,
        parts => pool::pool()?.install(|| totals_in_parts(file, parts)),
    };
    match in_parts {
        Some(totals) => Ok(totals),
        None => BlockWalk::new(&file.header).totals(&*file.source),
    }
}

fn parts(file: &Opened) -> u64 {
    ((file.source.size() - file.header.size) / PART_BYTES).min(pool::threads() as u64)
}

fn totals_in_parts(file: &Opened, parts: u64) -> Option<Totals> {
    let (start, size) = (file.header.size, file.source.size());
    let border = |part: u64| start + (u128::from(size - start) * u128::from(part) / u128::from(parts)) as u64;
    let walked: Vec<_> = (0..parts)
        .into_par_iter()
        .map(|part| {
            let first = if part == 0 { start } else { behind_marker(file, border(part))? };
            // The next part begins at the first block whose predecessor's marker lies behind the border.
            let stop = if part + 1 == parts { u64::MAX } else { border(part + 1) + SYNC_BYTES as u64 };
            let (totals, end) = BlockWalk::behind(file.header.sync, first).totals_until(&*file.source, stop).ok()?;
            Some((first, totals, end))
        })
        .collect::<Option<_>>()?;
    let (mut sum, mut place) = (Totals::default(), start);
    for (first, totals, end) in walked {
        if first != place {
            return None;
        }
        place = end;
        sum.blocks += totals.blocks;
        sum.rows = sum.rows.checked_add(totals.rows)?;
    }
    Some(sum)
}

/// Where the first marker at `offset` or behind it ends.
fn behind_marker(file: &Opened, offset: u64) -> Option<u64> {
    let bytes = file.source.read_at(offset, SEARCH_BYTES).ok()?;
    let at = bytes.windows(SYNC_BYTES).position(|window| window == file.header.sync)?;
    Some(offset + (at + SYNC_BYTES) as u64)
}
