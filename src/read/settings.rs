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
    /// Damaged blocks are left out.
    pub(crate) ignore_errors: bool,
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

    /// Returns whether a batch ends here. It may be a quarter over, so that no task leaves a small one behind.
    pub(crate) fn is_full(self, rows: usize, bytes: usize) -> bool {
        rows >= self.batch_rows * 5 / 4 || bytes >= self.batch_bytes
    }

    fn rows_by_values(self, plan: &Plan) -> usize {
        (self.batch_bytes / plan.row_values).max(1)
    }
}
