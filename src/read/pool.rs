//! The threads that decode.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{Error, ErrorKind, Result};

static WANTED: AtomicUsize = AtomicUsize::new(0);

/// The pool, and the process that started it: a forked process has its memory but none of its threads.
static POOL: Mutex<Option<(u32, &'static ThreadPool)>> = Mutex::new(None);

/// Sets how many threads decode, for the whole process. Counts until the first file is read on more than one thread.
pub fn set_threads(n: usize) {
    WANTED.store(n, Ordering::Relaxed);
}

/// How many threads the pool has, or will have.
pub(super) fn threads() -> usize {
    match WANTED.load(Ordering::Relaxed) {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}

/// The pool; its threads are started now if nobody in this process has before.
pub(super) fn pool() -> Result<&'static ThreadPool> {
    let mut started = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some((owner, pool)) = *started
        && owner == process
    {
        return Ok(pool);
    }
    let build = ThreadPoolBuilder::new().num_threads(threads()).thread_name(|i| format!("polars-avro-{i}")).build();
    let pool = build.map_err(|e| Error::new(ErrorKind::Source, format!("cannot start threads: {e}")))?;
    // One pool a process, for as long as it lives.
    let pool = &*Box::leak(Box::new(pool));
    *started = Some((process, pool));
    Ok(pool)
}
