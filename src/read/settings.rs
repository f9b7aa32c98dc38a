//! How much is read and decoded at once. Every size of a read is here, with its reason.

use std::ops::Range;

use crate::plan::Plan;

/// Records decoded between two looks at a batch's size, and before it is known whether a filter is worth asking.
pub(crate) const STRIDE: usize = 4096;

/// Least and most bytes of a section. With fewer, what a section costs besides decoding shows. With more, results are late
/// and large, and the bytes of a section are not in a core's cache any more when they are decoded.
pub(crate) const SECTION_BYTES: Range<u64> = 256 << 10..2 << 20;

/// Bytes of a small read: the first section, a window of block headers, the rest of a record.
pub(crate) const READ_BYTES: u64 = 64 << 10;

/// How many times larger each section may be than the one before it. A query that stops after a few rows has decoded
/// little, and a full read soon has full batches.
const GROWTH: u64 = 16;

/// So few rows are decoded on the calling thread: other threads cost more than they save.
pub(crate) const ALONE_ROWS: u64 = 128;

/// How large the pieces are that a read is cut into. One weight of a batch holds on every path: rows, bytes of input, and
/// values, which bound the memory of rows that take less than a byte a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadSettings {
    pub(crate) batch_rows: usize,
    pub(crate) batch_bytes: usize,
    pub(crate) threads: usize,
    /// Damaged blocks are left out.
    pub(crate) ignore_errors: bool,
    /// Bytes after the rows of a block, and deflate streams without an end, are damage.
    pub(crate) strict: bool,
}

impl ReadSettings {
    /// Returns the portions of a read by this plan: its batches have no more values than bytes.
    pub(crate) fn of_plan(self, plan: &Plan) -> Self {
        Self { batch_rows: self.batch_rows.min(self.rows_by_values(plan)), ..self }
    }

    /// Returns how many records are decoded before the size of their batch is looked at again.
    pub(crate) fn stride(self, plan: &Plan) -> u64 {
        STRIDE.min(self.rows_by_values(plan)) as u64
    }

    /// Returns whether a batch ends here.
    pub(crate) fn is_full(self, rows: usize, bytes: usize) -> bool {
        rows >= self.most_rows() || bytes >= self.batch_bytes
    }

    /// Returns how many rows may be added to a batch of so many. If damaged blocks are dropped, a batch has whole blocks, so
    /// that a report comes with the rows around it.
    pub(crate) fn room(self, rows: usize) -> u64 {
        if self.ignore_errors { u64::MAX } else { self.most_rows().saturating_sub(rows).max(1) as u64 }
    }

    /// Returns how many rows a batch has at most: more than asked for, by strides that are little beside it, so that a
    /// section leaves no small batch behind.
    fn most_rows(self) -> usize {
        self.batch_rows.saturating_add(self.batch_rows / 16 / STRIDE * STRIDE)
    }

    fn rows_by_values(self, plan: &Plan) -> usize {
        (self.batch_bytes / plan.row_values).max(1)
    }
}

/// What the last section was like: its blocks stand for those that follow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
    pub(crate) blocks: u64,
    /// Rows of a batch by the plan, and how many times as large its bytes are when they are decompressed.
    pub(crate) batch_rows: u64,
    pub(crate) ratio: u64,
}

impl Pace {
    /// Returns how many rows so many bytes are likely to hold.
    pub(crate) fn rows_in(self, bytes: u64) -> u64 {
        let rows = u128::from(bytes) * u128::from(self.rows) / u128::from(self.bytes.max(1));
        u64::try_from(rows).unwrap_or(u64::MAX)
    }

    /// Returns how many bytes so many rows are likely to take.
    fn bytes_of(self, rows: u64) -> u64 {
        let bytes = u128::from(rows) * u128::from(self.bytes) / u128::from(self.rows.max(1));
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

/// The sizes of the sections of a read.
pub(crate) struct SectionSizes {
    settings: ReadSettings,
    /// Most bytes of the next section.
    ramp: u64,
}

impl SectionSizes {
    /// Sizes for so many bytes, of which the rows up to `stop` are wanted.
    pub(crate) fn new(settings: ReadSettings, bytes: u64, stop: u64) -> Self {
        // So few bytes are not worth two sections, unless it is known that not all of them are wanted.
        let is_small = stop == u64::MAX && bytes <= SECTION_BYTES.start;
        Self { settings, ramp: if is_small { u64::MAX } else { READ_BYTES } }
    }

    /// Lets the next section be larger.
    pub(crate) fn grow(&mut self) {
        self.ramp = self.ramp.saturating_mul(GROWTH);
    }

    /// Returns how many bytes the next section has: those of a batch, or of the rows that are wanted, but few enough at the
    /// end that every thread has a share of what is left.
    pub(crate) fn section(&self, left: u64, files_after: u64, wanted: u64, pace: Pace) -> u64 {
        let ReadSettings { threads, batch_bytes, .. } = self.settings;
        let left = left.saturating_add(files_after.saturating_mul(SECTION_BYTES.end));
        let share = (left / (2 * threads as u64)).max(SECTION_BYTES.start);
        let batch = if pace.rows == 0 { SECTION_BYTES.start } else { pace.bytes_of(wanted.min(pace.batch_rows)) };
        let most = SECTION_BYTES.end.min(batch_bytes as u64 / pace.ratio.max(1));
        Self::filling(batch.min(most).min(share).min(self.ramp), pace).max(1)
    }

    /// Returns so much less than `bytes` that their rows just fill memory of a size that allocators have: what a column
    /// does not fill is lost.
    fn filling(bytes: u64, pace: Pace) -> u64 {
        let rows = pace.rows_in(bytes);
        if rows == 0 {
            return bytes;
        }
        let size = size_below(rows);
        // Rows differ, and a block more may begin.
        pace.bytes_of((size - size / 256).saturating_sub(pace.rows / pace.blocks.max(1)))
    }
}

/// The largest size that allocators have, of at most `n` values: four lie between one power of two and the next.
fn size_below(n: u64) -> u64 {
    let step = n.max(1).ilog2().saturating_sub(2);
    n >> step << step
}

#[cfg(test)]
mod tests;
