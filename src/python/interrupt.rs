//! Work that a signal ends: Python sees Ctrl-C only when somebody looks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::{PyOSError, PyRuntimeError};
use pyo3::prelude::*;

/// Time between two looks at signals.
const INTERVAL: Duration = Duration::from_millis(50);

/// Reading a file of fewer bytes takes less time than starting a thread for it.
pub(super) const QUICK_BYTES: u64 = 64 << 10;

/// Does work that asks between its steps whether to stop, which a signal makes it do. Unless it is `here`, it is done on
/// another thread, so that a signal need not wait for the end of a step; what it has made then goes when the step ends.
pub(super) fn interruptible<T: Send + 'static>(
    py: Python<'_>,
    here: bool,
    work: impl FnOnce(&dyn Fn() -> bool) -> T + Send + 'static,
) -> PyResult<T> {
    if here { on_this_thread(py, work) } else { on_another_thread(py, work) }
}

fn on_this_thread<T: Send>(py: Python<'_>, work: impl FnOnce(&dyn Fn() -> bool) -> T + Send) -> PyResult<T> {
    let raised = Mutex::new(None);
    let take = || raised.lock().unwrap_or_else(PoisonError::into_inner);
    let done = py.detach(|| {
        work(&|| {
            let signal = Python::attach(|py| py.check_signals().err());
            let stop = signal.is_some();
            *take() = signal;
            stop
        })
    });
    take().take().map_or(Ok(done), Err)
}

fn on_another_thread<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce(&dyn Fn() -> bool) -> T + Send + 'static,
) -> PyResult<T> {
    let stopped = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = sync_channel(1);
    let receiver = Mutex::new(receiver);
    let flag = stopped.clone();
    let worker = move || {
        // Nobody takes the result after a signal.
        let _ = sender.send(work(&|| flag.load(Ordering::Relaxed)));
    };
    let spawned = thread::Builder::new().name("polars-avro-read".to_owned()).spawn(worker);
    spawned.map_err(|error| PyOSError::new_err(format!("cannot start a thread: {error}")))?;
    loop {
        let wait = || receiver.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(INTERVAL);
        match py.detach(wait) {
            Ok(done) => return Ok(done),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(PyRuntimeError::new_err("a panic while reading")),
        }
        if let Err(signal) = py.check_signals() {
            stopped.store(true, Ordering::Relaxed);
            return Err(signal);
        }
    }
}
