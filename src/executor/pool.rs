//! The thread pool of this process.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::lock::lock;
use crate::{Error, ErrorKind, Result};

static SIZE: AtomicUsize = AtomicUsize::new(0);

/// The pool and the process that started it: a forked process inherits its memory but none of its threads.
static POOL: Mutex<Option<(u32, &'static ThreadPool)>> = Mutex::new(None);

/// The number of jobs that no thread of the pool has started.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Sets the number of threads that decode and encode, for the whole process. Has no effect once the pool has started.
///
/// ```
/// polars_avro::set_thread_pool_size(2);
/// ```
pub fn set_thread_pool_size(threads: usize) {
    SIZE.store(threads, Ordering::Relaxed);
}

/// Returns the number of threads that the pool has, or will have.
pub(crate) fn threads() -> usize {
    match SIZE.load(Ordering::Relaxed) {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}

/// Returns the pool, which the first call in this process starts.
pub(crate) fn pool() -> Result<&'static ThreadPool> {
    let mut started = lock(&POOL);
    let process = std::process::id();
    if let Some((owner, pool)) = *started
        && owner == process
    {
        return Ok(pool);
    }
    let build = ThreadPoolBuilder::new().num_threads(threads()).thread_name(|i| format!("polars-avro-{i}")).build();
    let pool = build.map_err(|e| Error::new(ErrorKind::Source, format!("cannot start threads: {e}")))?;
    // There is one pool per process, for as long as the process lives.
    let pool = &*Box::leak(Box::new(pool));
    WAITING.store(0, Ordering::Relaxed);
    *started = Some((process, pool));
    Ok(pool)
}

/// Adds a job to the end of the pool's queue.
pub(super) fn spawn(pool: &'static ThreadPool, job: impl FnOnce() + Send + 'static) {
    WAITING.fetch_add(1, Ordering::Relaxed);
    pool.spawn(move || {
        WAITING.fetch_sub(1, Ordering::Relaxed);
        job();
    });
}

/// Returns true if a job waits for a thread. A job that could take more work should then end.
pub(super) fn is_wanted() -> bool {
    WAITING.load(Ordering::Relaxed) > 0
}
