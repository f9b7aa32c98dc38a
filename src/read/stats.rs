//! What reading a file did, so that what it did not do can be seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a read has done so far.
///
/// ```
/// use polars_avro::{ContainerFile, OpenOptions, ReadOptions};
///
/// let file = ContainerFile::open("docs/sample.avro", &OpenOptions::default())?;
/// let mut reader = file.read(&ReadOptions::default().with_length(10))?;
/// while reader.next().transpose()?.is_some() {}
/// assert_eq!(reader.stats().rows_decoded, 10);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Blocks whose bytes were read.
    pub blocks_read: u64,
    /// Blocks passed over by their header alone.
    pub blocks_skipped: u64,
    /// Blocks decompressed; blocks of the null codec are not.
    pub blocks_decompressed: u64,
    /// Bytes that decompression made, or that stood there uncompressed.
    pub bytes_decoded: u64,
    /// Rows of which all wanted columns were decoded.
    pub rows_decoded: u64,
    /// Rows that the filter was asked about.
    pub rows_evaluated: u64,
    /// Rows that the filter dropped: of them only its own columns were decoded.
    pub rows_filtered_out: u64,
    /// Bytes of the source that were read, each counted once; headers of files included.
    pub bytes_read: u64,
    /// Files that a read over several has opened.
    pub files_opened: u64,
    /// How many of them were open at the same time, at most.
    pub max_open_files: u64,
    /// For how many schemas a read over several files has made a plan.
    pub plans_compiled: u64,
}

/// The same while it is counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) blocks_read: AtomicU64,
    pub(crate) blocks_skipped: AtomicU64,
    pub(crate) blocks_decompressed: AtomicU64,
    pub(crate) bytes_decoded: AtomicU64,
    pub(crate) rows_decoded: AtomicU64,
    pub(crate) rows_evaluated: AtomicU64,
    pub(crate) rows_filtered_out: AtomicU64,
    pub(crate) bytes_read: AtomicU64,
    pub(crate) files_opened: AtomicU64,
    files_open: AtomicU64,
    max_open_files: AtomicU64,
    pub(crate) plans_compiled: AtomicU64,
}

/// A file is open for as long as this lives.
pub(crate) struct Held(Arc<Counters>);

impl Held {
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        add(&counters.files_opened, 1);
        let open = counters.files_open.fetch_add(1, Ordering::Relaxed) + 1;
        counters.max_open_files.fetch_max(open, Ordering::Relaxed);
        Self(counters)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.files_open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

impl Counters {
    pub(crate) fn stats(&self) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            blocks_read: get(&self.blocks_read),
            blocks_skipped: get(&self.blocks_skipped),
            blocks_decompressed: get(&self.blocks_decompressed),
            bytes_decoded: get(&self.bytes_decoded),
            rows_decoded: get(&self.rows_decoded),
            rows_evaluated: get(&self.rows_evaluated),
            rows_filtered_out: get(&self.rows_filtered_out),
            bytes_read: get(&self.bytes_read),
            files_opened: get(&self.files_opened),
            max_open_files: get(&self.max_open_files),
            plans_compiled: get(&self.plans_compiled),
        }
    }
}
