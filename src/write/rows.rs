//! Rows on their way from batches to shares.

use std::ops::Range;

use crate::encode::{Column, Record};

/// Rows are measured by so many, counted from the first row of the file: so shares, and blocks with them, do not depend
/// on the batches that the rows came in.
const GRANULE: usize = 64;

/// The most rows of a share, and of a block: rows may take no bytes.
const MOST_ROWS: usize = 1 << 20;

/// Consecutive rows that are encoded by one task, from one batch or several.
pub(super) struct Share {
    /// Number of the first row in the file.
    pub(super) first: u64,
    pub(super) runs: Vec<Run>,
    /// How many bytes the rows take at most.
    pub(super) bound: usize,
    pub(super) rows: usize,
}

/// Rows of one batch.
pub(super) struct Run {
    pub(super) record: Record,
    pub(super) rows: Range<usize>,
}

/// The rows that do not fill a share yet.
pub(super) struct Rows {
    share: Share,
    /// A share is full when its bound is this.
    target: usize,
}

impl Share {
    fn new(first: u64) -> Self {
        Self { first, runs: Vec::new(), bound: 0, rows: 0 }
    }
}

impl Rows {
    pub(super) fn new(target: usize) -> Self {
        Self { share: Share::new(0), target }
    }

    /// Adds rows from `next` on of a batch of `height` rows until a share is full or the batch ends.
    pub(super) fn fill(&mut self, record: &Record, next: &mut usize, height: usize) -> Option<Share> {
        let start = *next;
        let mut full = false;
        while *next < height && !full {
            let step = (GRANULE - self.share.rows % GRANULE).min(height - *next);
            self.share.bound = self.share.bound.saturating_add(record.bound(*next..*next + step));
            self.share.rows += step;
            *next += step;
            let is_whole = self.share.rows.is_multiple_of(GRANULE);
            full = is_whole && (self.share.bound >= self.target || self.share.rows >= MOST_ROWS);
        }
        if *next > start {
            self.share.runs.push(Run { record: record.clone(), rows: start..*next });
        }
        full.then(|| self.rest())
    }

    /// The rows that are left.
    pub(super) fn rest(&mut self) -> Share {
        let after = self.share.first + self.share.rows as u64;
        std::mem::replace(&mut self.share, Share::new(after))
    }
}
