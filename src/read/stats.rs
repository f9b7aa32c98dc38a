//! Counters of the work a read performed and avoided.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Counters of a read so far.
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
    /// Blocks skipped by their header alone.
    pub blocks_skipped: u64,
    /// Blocks decompressed; blocks of the null codec are not.
    pub blocks_decompressed: u64,
    /// Bytes of block data after decompression, and of blocks that are not compressed.
    pub bytes_decoded: u64,
    /// Rows of which all wanted columns were decoded.
    pub rows_decoded: u64,
    /// Rows that the filter was evaluated on.
    pub rows_evaluated: u64,
    /// Rows that the filter dropped: only the filter's columns were decoded for them.
    pub rows_filtered_out: u64,
    /// Bytes read from the source, each counted once, including the headers of files.
    pub bytes_read: u64,
    /// Files that a read over several files has opened.
    pub files_opened: u64,
    /// The maximum number of files that were open at the same time.
    pub max_open_files: u64,
    /// The number of schemas for which a read over several files compiled a plan.
    pub plans_compiled: u64,
    /// The time that the threads spent, by activity.
    pub times: Times,
}

/// Times that all threads of a read spent together, in nanoseconds. A running task counts when it ends.
///
/// ```
/// use polars_avro::{ContainerFile, OpenOptions, ReadOptions};
///
/// let file = ContainerFile::open("docs/sample.avro", &OpenOptions::default())?;
/// let mut reader = file.read(&ReadOptions::default())?;
/// while reader.next().transpose()?.is_some() {}
/// let times = reader.stats().times;
/// assert!(times.decode_ns > 0);
/// assert_eq!(times.filter_ns, 0);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Times {
    /// Waiting for the turns of the sections before.
    pub lock_wait_ns: u64,
    /// In the turn, which only one thread has at a time: walking block headers, cutting large blocks and decompressing
    /// them, reading remote sources.
    pub locked_ns: u64,
    /// Opening files and reading from them, outside the turn; looking for records in a part of a large block.
    pub fetch_ns: u64,
    /// Decompressing.
    pub decompress_ns: u64,
    /// Decoding, and everything else that makes batches.
    pub decode_ns: u64,
    /// Evaluating the filter.
    pub filter_ns: u64,
}

/// The atomic counters of a read, updated by its threads; [`Stats`] is a snapshot of them.
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
    /// Nanoseconds.
    pub(crate) lock_wait_ns: AtomicU64,
    pub(crate) locked_ns: AtomicU64,
    pub(crate) fetch_ns: AtomicU64,
    pub(crate) decompress_ns: AtomicU64,
    pub(crate) filter_ns: AtomicU64,
    /// Nanoseconds of decompressing, decoding and filtering together.
    pub(crate) work_ns: AtomicU64,
}

/// A guard that counts a file as open until it is dropped.
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

/// Adds the time since `start`.
pub(crate) fn add_time(counter: &AtomicU64, start: Instant) {
    add(counter, start.elapsed().as_nanos() as u64);
}

/// Adds the time since `start`, which becomes now.
pub(crate) fn add_lap(counter: &AtomicU64, start: &mut Instant) {
    add_time(counter, std::mem::replace(start, Instant::now()));
}

impl Counters {
    /// Returns the current values of the counters.
    pub(crate) fn stats(&self) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (decompress, filter) = (get(&self.decompress_ns), get(&self.filter_ns));
        let times = Times {
            lock_wait_ns: get(&self.lock_wait_ns),
            locked_ns: get(&self.locked_ns),
            fetch_ns: get(&self.fetch_ns),
            decompress_ns: decompress,
            decode_ns: get(&self.work_ns).saturating_sub(decompress + filter),
            filter_ns: filter,
        };
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
            times,
        }
    }
}
