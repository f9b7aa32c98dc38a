//! The number of values that became null or text because their column cannot hold them.
//!
//! A block is decoded by one thread, so each thread counts for the block that it decodes.

use std::cell::Cell;

thread_local! {
    static REPLACED: Cell<u64> = const { Cell::new(0) };
}

/// Counts one value.
#[cold]
pub(super) fn count() {
    REPLACED.set(REPLACED.get() + 1);
}

/// Returns the number of values since the last call on this thread.
pub(crate) fn take_replaced() -> u64 {
    REPLACED.take()
}
