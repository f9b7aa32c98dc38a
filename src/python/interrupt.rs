//! Work that a signal interrupts: Python handles Ctrl-C only if the main thread checks for signals.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::{PyOSError, PyRuntimeError};
use pyo3::prelude::*;

use super::error::Raised;
use super::interpreter::{WithoutGil, attach, is_stopping};
use super::running::stopped_error;

/// The time between two checks for signals.
const INTERVAL: Duration = Duration::from_millis(50);

/// The size up to which reading a file takes less time than starting a thread.
pub(super) const QUICK_BYTES: u64 = 64 << 10;

/// A source whose reads may block for long.
pub(super) trait Waiting: Send + Sync {
    /// Allows reads to block again, after a signal.
    fn begin(&self) {}

    /// Ends the reads that are blocked; they fail.
    fn end_reads(&self);
}

/// The source of a file, if its reads may block for long.
pub(super) type Slow = Option<Arc<dyn Waiting>>;

/// The pause between attempts to end reads, and their number. Work may be between two reads, which one attempt misses.
const STOP: Duration = Duration::from_millis(5);
const TRIES: usize = 100;

/// Runs `work` without the GIL. If its reads may block for long, a signal ends them.
pub(super) fn detached<T: Send + 'static>(
    py: Python<'_>,
    slow: &Slow,
    work: impl FnOnce() -> polars_avro::Result<T> + Send + 'static,
) -> Result<T, Raised> {
    match slow {
        None => Ok(py.without_gil(work)?),
        Some(_) => Ok(interruptible(py, false, slow, |_| work())??),
    }
}

/// Runs `work`, which checks between its steps for a signal and then stops. Unless `here` is set, it runs on another
/// thread, so that a signal need not wait for the end of a step. The result of that step is dropped.
pub(super) fn interruptible<T: Send + 'static>(
    py: Python<'_>,
    here: bool,
    slow: &Slow,
    work: impl FnOnce(&dyn Fn() -> bool) -> T + Send + 'static,
) -> PyResult<T> {
    if here { on_this_thread(py, work) } else { on_another_thread(py, slow, work) }
}

fn on_this_thread<T: Send>(py: Python<'_>, work: impl FnOnce(&dyn Fn() -> bool) -> T + Send) -> PyResult<T> {
    let raised = Mutex::new(None);
    let take = || raised.lock().unwrap_or_else(PoisonError::into_inner);
    let done = py.without_gil(|| {
        work(&|| {
            // After the end of the interpreter, no caller waits for the work.
            let Ok(signal) = attach(|py| py.check_signals().err()) else { return true };
            let stop = signal.is_some();
            *take() = signal;
            stop
        })
    });
    take().take().map_or(Ok(done), Err)
}

fn on_another_thread<T: Send + 'static>(
    py: Python<'_>,
    slow: &Slow,
    work: impl FnOnce(&dyn Fn() -> bool) -> T + Send + 'static,
) -> PyResult<T> {
    if let Some(source) = slow {
        py.without_gil(|| source.begin());
    }
    let stopped = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = sync_channel(1);
    let receiver = Mutex::new(receiver);
    let flag = stopped.clone();
    let worker = move || {
        // Sending fails after a signal, as the receiver is gone.
        let _ = sender.send(work(&|| flag.load(Ordering::Relaxed)));
    };
    let spawned = thread::Builder::new().name("polars-avro-read".to_owned()).spawn(worker);
    spawned.map_err(|error| PyOSError::new_err(format!("cannot start a thread: {error}")))?;
    loop {
        let wait = || receiver.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(INTERVAL);
        match py.without_gil(wait) {
            Ok(done) => return Ok(done),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(PyRuntimeError::new_err("a panic while reading")),
        }
        let ended = if is_stopping() { Err(stopped_error()) } else { py.check_signals() };
        if let Err(signal) = ended {
            stopped.store(true, Ordering::Relaxed);
            if let Some(source) = slow {
                py.without_gil(|| end_reads(&**source, &receiver));
            }
            return Err(signal);
        }
    }
}

/// Ends blocked reads repeatedly, until the work is done.
fn end_reads<T>(source: &dyn Waiting, receiver: &Mutex<Receiver<T>>) {
    let receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..TRIES {
        source.end_reads();
        if !matches!(receiver.recv_timeout(STOP), Err(RecvTimeoutError::Timeout)) {
            return;
        }
    }
}
