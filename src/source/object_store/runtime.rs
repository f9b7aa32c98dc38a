//! The one tokio runtime of a process, started by the first request.

use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::runtime::{Builder, Runtime};

use crate::{Error, ErrorKind, Result};

/// The runtime, and the process that started it: a forked process inherits its memory but none of its threads.
static RUNTIME: Mutex<Option<(u32, &'static Runtime)>> = Mutex::new(None);

/// Threads that move bytes; decoding has threads of its own.
const THREADS: usize = 2;

/// Returns the runtime of this process. It lives as long as the process, so that nothing waits for it at exit.
pub(super) fn runtime() -> Result<&'static Runtime> {
    let mut started = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some((owner, runtime)) = *started
        && owner == process
    {
        return Ok(runtime);
    }
    // Fails if a provider is installed already, which then serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let build = Builder::new_multi_thread().worker_threads(THREADS).thread_name("polars-avro-io").enable_all().build();
    let runtime = build.map_err(|e| Error::new(ErrorKind::Source, format!("cannot start the I/O threads: {e}")))?;
    let runtime = &*Box::leak(Box::new(runtime));
    *started = Some((process, runtime));
    Ok(runtime)
}

/// Called now and then by a thread that waits; its error ends the wait.
///
/// # Examples
/// ```
/// use std::time::{Duration, Instant};
///
/// use polars_avro::{Error, WaitCheck};
///
/// let end = Instant::now() + Duration::from_secs(60);
/// let check: WaitCheck = Box::new(move || {
///     if Instant::now() < end { Ok(()) } else { Err(Error::from(std::io::Error::other("a minute is enough"))) }
/// });
/// assert!(check().is_ok());
/// ```
pub type WaitCheck = Box<dyn Fn() -> Result<()> + Send + Sync>;

/// Time between two calls of a [`WaitCheck`].
const INTERVAL: Duration = Duration::from_millis(50);

/// Does work of the runtime while this thread waits.
pub(super) fn wait_for<T>(check: &WaitCheck, work: impl Future<Output = Result<T>>) -> Result<T> {
    runtime()?.block_on(async {
        let mut work = pin!(work);
        loop {
            match select(work.as_mut(), Box::pin(tokio::time::sleep(INTERVAL))).await {
                Either::Left((done, _)) => return done,
                Either::Right(_) => check()?,
            }
        }
    })
}
