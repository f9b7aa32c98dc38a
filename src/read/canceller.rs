//! Ending a read that another thread waits for.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends a read from another thread: its threads end what they are at early, and what they have read is lost.
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
    /// What the reader looks at before each batch, whatever its tasks are by then.
    pub(super) cancelled: Arc<AtomicBool>,
    /// Ends the tasks of now.
    pub(super) cancel_tasks: Box<dyn Fn() + Send + Sync>,
}

impl Canceller {
    /// Ends the read. The call that waits for a batch returns, perhaps with one, and no more come.
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
