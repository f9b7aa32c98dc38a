//! Cancels a read that another thread waits for.

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
#[derive(Clone, Debug)]
pub struct Canceller {
    /// A flag that tasks check between blocks, and the reader before each batch.
    pub(super) cancelled: Arc<AtomicBool>,
}

impl Canceller {
    /// Cancels the read. A call that waits for a batch returns, possibly with one, and no more batches follow.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}
