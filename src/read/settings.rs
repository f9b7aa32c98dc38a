//! How much is read and decoded at once.

use crate::plan::Plan;

/// Records decoded between two looks at a batch's size.
const STRIDE: usize = 4096;

/// How large the pieces are that a read is cut into. One weight of a batch holds on every path: rows, bytes of input, and
/// values, which bound the memory of rows that take less than a byte a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadSettings {
    pub(crate) batch_rows: usize,
    pub(crate) batch_bytes: usize,
    pub(crate) threads: usize,
    /// Files after this one, which other threads can take.
    pub(crate) files_behind: usize,
    /// Bytes of the file that one thread holds, but for a longer block.
    pub(crate) window_bytes: u64,
    /// Threads read long stretches of the file.
    pub(crate) eager: bool,
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

    /// Returns whether a batch ends here. It may be a quarter over, so that no task leaves a small one behind, or so that it
    /// has the rows that it has room for.
    pub(crate) fn is_full(self, rows: usize, bytes: usize, room: Option<usize>) -> bool {
        match room {
            Some(room) => rows >= room || bytes >= self.batch_bytes.saturating_mul(5) / 4,
            None => rows >= self.batch_rows * 5 / 4 || bytes >= self.batch_bytes,
        }
    }

    /// Returns the rows of a batch that fills what is allocated for it, if so many rows took so many bytes: at least those
    /// that a batch should have, unless their bytes are too many.
    pub(crate) fn rows_that_fill(self, rows: u64, bytes: u64) -> usize {
        let by_bytes = (self.batch_bytes as u64).saturating_mul(rows) / bytes.max(1);
        let wanted = self.batch_rows as u64;
        if by_bytes < wanted { size_below(by_bytes.max(1)) as usize } else { size_above(wanted) as usize }
    }

    fn rows_by_values(self, plan: &Plan) -> usize {
        (self.batch_bytes / plan.row_values).max(1)
    }
}

/// The largest size that allocators have, of at most `n` values: four lie between one power of two and the next.
pub(crate) fn size_below(n: u64) -> u64 {
    let step = n.max(1).ilog2().saturating_sub(2);
    n >> step << step
}

/// The smallest size that allocators have for `n` values.
pub(crate) fn size_above(n: u64) -> u64 {
    let below = size_below(n);
    if below == n { n } else { below + (1 << n.ilog2().saturating_sub(2)) }
}

#[cfg(test)]
mod tests;
