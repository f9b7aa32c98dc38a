//! How much is read and decoded at once.

/// How large the pieces are that a read is cut into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portions {
    pub(super) batch_rows: usize,
    pub(super) batch_bytes: usize,
    pub(super) threads: usize,
    /// Damaged blocks are left out.
    pub(super) salvage: bool,
}
