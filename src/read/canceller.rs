//! Cancels a read that another thread waits for.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Cancels a read from another thread. Its tasks end early, and results that were not returned are dropped.
///
/// ```
/// use polars_avro::{ContainerFile, OpenOptions, ReadOptions};
///
/// let file = ContainerFile::open("docs/sample.avro", &OpenOptions::default())?;
/// let mut reader = file.read(&ReadOptions::default())?;
/// reader.canceller().cancel();
/// assert!(reader.next().is_none());
/// # Ok::<(), polars_avro::Error>(())
/// ```
pub struct Canceller {
    /// A flag that the reader checks before each batch.
    pub(super) cancelled: Arc<AtomicBool>,
    /// Cancels the tasks that are running.
    pub(super) cancel_tasks: Box<dyn Fn() + Send + Sync>,
}

impl Canceller {
    /// Cancels the read. A call that waits for a batch returns, possibly with one, and no more batches follow.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        (self.cancel_tasks)();
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canceller").finish_non_exhaustive()
    }
}
