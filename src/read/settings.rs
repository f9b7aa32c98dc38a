//! Sizes of reads, sections and batches, each with its reason.

use std::ops::Range;

use crate::plan::Plan;

/// The number of records decoded between two checks of a batch's size, and before a filter's selectivity is known.
pub(crate) const STRIDE: usize = 4096;

/// The minimum and maximum bytes of a section. In smaller sections the fixed cost per section shows. Larger ones give late
/// and large results, and their bytes leave a core's cache before they are decoded.
pub(crate) const SECTION_BYTES: Range<u64> = 256 << 10..2 << 20;

/// The number of bytes of a small read: the first section, a window of block headers, the rest of a record.
pub(crate) const READ_BYTES: u64 = 64 << 10;

/// The largest factor between a section and the one before it. Early sections are small so that a query that stops after a
/// few rows decodes little; sizes then grow to full batches.
pub(crate) const GROWTH: u64 = 16;

/// The number of rows up to which the calling thread decodes alone: other threads cost more than they save.
pub(crate) const ALONE_ROWS: u64 = 128;

/// The sizes of a read's sections and batches. Three bounds of a batch hold on every path: rows, bytes of input, and
/// values. Values bound the memory of rows that take less than a byte per value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadSettings {
    pub(crate) batch_rows: usize,
    pub(crate) batch_bytes: usize,
    pub(crate) threads: usize,
    /// Damaged blocks are dropped.
    pub(crate) ignore_errors: bool,
    /// True if bytes after the rows of a block, and deflate streams without an end, are damage.
    pub(crate) strict: bool,
}

impl ReadSettings {
    /// Returns the settings for this plan: its batches have no more values than bytes.
    pub(crate) fn of_plan(self, plan: &Plan) -> Self {
        Self { batch_rows: self.batch_rows.min(self.rows_by_values(plan)), ..self }
    }

    /// Returns how many records are decoded before the size of their batch is checked again.
    pub(crate) fn stride(self, plan: &Plan) -> u64 {
        STRIDE.min(self.rows_by_values(plan)) as u64
    }

    /// Returns true if a batch of this size is full.
    pub(crate) fn is_full(self, rows: usize, bytes: usize) -> bool {
        rows >= self.most_rows() || bytes >= self.batch_bytes
    }

    /// Returns how many rows may be added to a batch of `rows` rows. If damaged blocks are dropped, a batch has whole
    /// blocks, so that a report comes with the rows around it.
    pub(crate) fn room(self, rows: usize) -> u64 {
        if self.ignore_errors { u64::MAX } else { self.most_rows().saturating_sub(rows).max(1) as u64 }
    }

    /// Returns the maximum number of rows of a batch. It exceeds `batch_rows` by a few strides, so that the end of a
    /// section does not become a small batch.
    fn most_rows(self) -> usize {
        self.batch_rows.saturating_add(self.batch_rows / 16 / STRIDE * STRIDE)
    }

    /// Returns the number of bytes of the next section, if `left` bytes are left: those of a batch, or of the `wanted` rows,
    /// and `most` at most. Near the end it is smaller, so that every thread has a share of the remaining bytes.
    pub(crate) fn section_bytes(self, left: u64, wanted: u64, most: u64, pace: Pace) -> u64 {
        let share = (left / (2 * self.threads as u64)).max(SECTION_BYTES.start);
        let batch = if pace.rows == 0 { SECTION_BYTES.start } else { pace.bytes_of(wanted.min(pace.batch_rows)) };
        let most = most.min(SECTION_BYTES.end).min(self.batch_bytes as u64 / pace.ratio.max(1));
        pace.filling(batch.min(share).min(most)).max(1)
    }

    fn rows_by_values(self, plan: &Plan) -> usize {
        (self.batch_bytes / plan.row_values).max(1)
    }
}

/// Statistics of the last section, used to predict the next ones.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
    pub(crate) blocks: u64,
    /// The rows of a batch by the plan, and the expected ratio of decompressed to compressed bytes.
    pub(crate) batch_rows: u64,
    pub(crate) ratio: u64,
}

impl Pace {
    /// Returns how many rows this many bytes are likely to hold.
    pub(crate) fn rows_in(self, bytes: u64) -> u64 {
        let rows = u128::from(bytes) * u128::from(self.rows) / u128::from(self.bytes.max(1));
        u64::try_from(rows).unwrap_or(u64::MAX)
    }

    /// Returns how many bytes this many rows are likely to take.
    fn bytes_of(self, rows: u64) -> u64 {
        let bytes = u128::from(rows) * u128::from(self.bytes) / u128::from(self.rows.max(1));
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Returns at most `bytes` bytes, whose rows just fill a size that allocators have: memory that a column does not fill
    /// is lost.
    fn filling(self, bytes: u64) -> u64 {
        let rows = self.rows_in(bytes);
        if rows == 0 {
            return bytes;
        }
        let size = size_below(rows);
        // Leaves a margin, because rows differ in size and one more block may begin.
        self.bytes_of((size - size / 256).saturating_sub(self.rows / self.blocks.max(1)))
    }
}

/// Returns the largest size that allocators have, of at most `n` values: four lie between one power of two and the next.
fn size_below(n: u64) -> u64 {
    let step = n.max(1).ilog2().saturating_sub(2);
    n >> step << step
}

#[cfg(test)]
mod tests;
