//! The one tokio runtime of a process, started by the first request.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use crate::{Error, ErrorKind, Result};

/// The runtime, and the process that started it: a forked process inherits its memory but none of its threads.
static RUNTIME: Mutex<Option<(u32, &'static Runtime)>> = Mutex::new(None);

/// The number of I/O threads; decoding has threads of its own.
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

/// A check that a waiting thread calls periodically; its error ends the wait.
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

/// The time between two calls of a [`WaitCheck`].
const INTERVAL: Duration = Duration::from_millis(50);

/// A waker of a parked thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future of the runtime while this thread waits. The thread may belong to the caller's own runtime, in which
/// `Runtime::block_on` would panic.
pub(super) fn wait_for<T>(check: &WaitCheck, work: impl Future<Output = Result<T>>) -> Result<T> {
    let _entered = runtime()?.enter();
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let (mut work, mut checked) = (pin!(work), Instant::now());
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
            return done;
        }
        thread::park_timeout(INTERVAL);
        if checked.elapsed() >= INTERVAL {
            check()?;
            checked = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_of_another_runtime_may_wait() {
        let other = Builder::new_current_thread().build().unwrap();
        let check: WaitCheck = Box::new(|| Ok(()));
        let waited = || {
            wait_for(&check, async {
                let slept = tokio::spawn(tokio::time::sleep(Duration::from_millis(1)));
                slept.await.map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))
            })
        };
        waited().unwrap();
        other.block_on(async { waited() }).unwrap();
    }

    #[test]
    fn an_error_of_the_check_ends_the_wait() {
        let check: WaitCheck = Box::new(|| Err(Error::argument("enough")));
        let waited = wait_for(&check, std::future::pending::<Result<()>>());
        assert_eq!(waited.unwrap_err().message(), "enough");
    }
}
