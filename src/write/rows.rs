//! Collection of the rows of batches into shares.

use std::ops::Range;

use crate::encode::{Column, Record};

/// Number of rows that are measured together, counted from the first row of the file. This makes shares and blocks
/// independent of batch boundaries.
const GRANULE: usize = 64;

/// Number of rows of a granule that are measured; the others are assumed to be alike. Only the calling thread measures,
/// so measuring every row would slow it down.
const SAMPLE: usize = 4;

/// The maximum number of rows of a share, and of a block, as rows may take no bytes.
const MOST_ROWS: usize = 1 << 20;

/// Consecutive rows that are encoded by one task, from one batch or several.
pub(super) struct Share {
    /// Number of the first row in the file.
    pub(super) first: u64,
    pub(super) runs: Vec<Run>,
    /// The approximate encoded size of the rows, in bytes.
    size: usize,
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
    /// The size of a full share, in bytes.
    target: usize,
}

impl Share {
    fn new(first: u64) -> Self {
        Self { first, runs: Vec::new(), size: 0, rows: 0 }
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
            let known = self.share.rows % GRANULE;
            let step = (GRANULE - known).min(height - *next);
            if known < SAMPLE {
                let sample = record.bound(*next..*next + step.min(SAMPLE - known));
                self.share.size = self.share.size.saturating_add(sample.saturating_mul(GRANULE / SAMPLE));
            }
            self.share.rows += step;
            *next += step;
            let is_whole = self.share.rows.is_multiple_of(GRANULE);
            full = is_whole && (self.share.size >= self.target || self.share.rows >= MOST_ROWS);
        }
        if *next > start {
            self.share.runs.push(Run { record: record.clone(), rows: start..*next });
        }
        full.then(|| self.rest())
    }

    /// Returns the remaining rows.
    pub(super) fn rest(&mut self) -> Share {
        let after = self.share.first + self.share.rows as u64;
        std::mem::replace(&mut self.share, Share::new(after))
    }
}
