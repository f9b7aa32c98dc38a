//! The threads that decode.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{Error, ErrorKind, Result};

static WANTED: AtomicUsize = AtomicUsize::new(0);
static POOL: OnceLock<ThreadPool> = OnceLock::new();

/// Sets how many threads decode, for the whole process. Counts until the first file is read on more than one thread.
pub fn set_threads(n: usize) {
    WANTED.store(n, Ordering::Relaxed);
}

/// How many threads the pool has, or will have.
pub(super) fn threads() -> usize {
    match (POOL.get(), WANTED.load(Ordering::Relaxed)) {
        (Some(pool), _) => pool.current_num_threads(),
        (None, 0) => std::thread::available_parallelism().map_or(1, usize::from),
        (None, n) => n,
    }
}

/// The pool; its threads are started now if nobody has before.
pub(super) fn pool() -> Result<&'static ThreadPool> {
    if let Some(pool) = POOL.get() {
        return Ok(pool);
    }
    let build = ThreadPoolBuilder::new().num_threads(threads()).thread_name(|i| format!("polars-avro-{i}")).build();
    let pool = build.map_err(|e| Error::new(ErrorKind::Source, format!("cannot start threads: {e}")))?;
    Ok(POOL.get_or_init(|| pool))
}
