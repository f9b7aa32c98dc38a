//! The reads in progress, which are stopped at the end of the program.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use super::interpreter::{attach, begin_stopping};
use super::interrupt::Slow;
use polars_avro::Canceller;

/// All reads that may still return batches. The lock is only taken with the GIL held, so it is free at a fork.
static RUNNING: Mutex<Vec<Weak<Running>>> = Mutex::new(Vec::new());

/// The handles for ending a read from another thread.
pub(super) struct Running {
    canceller: Canceller,
    slow: Slow,
    is_stopped: AtomicBool,
}

impl Running {
    /// Registers a read for as long as the result lives.
    pub(super) fn register(canceller: Canceller, slow: Slow) -> Arc<Self> {
        let running = Arc::new(Self { canceller, slow, is_stopped: AtomicBool::new(false) });
        let mut reads = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        reads.retain(|read| read.strong_count() > 0);
        reads.push(Arc::downgrade(&running));
        running
    }

    fn stop(&self) {
        self.is_stopped.store(true, Ordering::SeqCst);
        self.canceller.cancel();
        if let Some(source) = &self.slow {
            source.end_reads();
        }
    }

    /// Raises an error if the read was stopped, as it is incomplete.
    pub(super) fn check(&self) -> PyResult<()> {
        if self.is_stopped.load(Ordering::SeqCst) { Err(stopped_error()) } else { Ok(()) }
    }
}

/// Ends all reads: a call for their next batch raises an error.
#[pyfunction]
pub(super) fn stop_reads(py: Python<'_>) {
    begin_stopping();
    let reads: Vec<_> = {
        let reads = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        reads.iter().filter_map(Weak::upgrade).collect()
    };
    // A source may be waiting for the GIL when its reads are ended.
    py.detach(|| reads.iter().for_each(|read| read.stop()));
}

/// Returns the error for a request to a stopped read.
pub(super) fn stopped_error() -> PyErr {
    PyRuntimeError::new_err("the read was stopped: the interpreter is shutting down")
}

/// Finishes a read when Polars drops its reader: when Polars calls this object, or else drops it.
///
/// The main thread finishes nothing: no bytecode runs there, in which the interpreter would raise a pending
/// `KeyboardInterrupt`, as an exception of a destructor is lost.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct OnDrop {
    finish: Mutex<Option<Py<PyAny>>>,
    /// `_thread.get_ident`, and its result on the main thread.
    get_ident: Py<PyAny>,
    main_thread: u64,
    /// Stores `finish` for a call on another thread: `list.append`.
    postpone: Py<PyAny>,
}

#[pymethods]
impl OnDrop {
    #[new]
    fn new(finish: Py<PyAny>, get_ident: Py<PyAny>, main_thread: u64, postpone: Py<PyAny>) -> Self {
        Self { finish: Mutex::new(Some(finish)), get_ident, main_thread, postpone }
    }

    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let Some(finish) = self.finish.lock().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(()) };
        if self.get_ident.bind(py).call0()?.extract::<u64>()? == self.main_thread {
            self.postpone.bind(py).call1((finish,))?;
        } else {
            finish.bind(py).call0()?;
        }
        Ok(())
    }
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        let finished = attach(|py| {
            // An exception may be on its way while its frames are dropped.
            let raised = PyErr::take(py);
            if let Err(error) = self.__call__(py) {
                error.write_unraisable(py, None);
            }
            if let Some(raised) = raised {
                raised.restore(py);
            }
        });
        // After the end of the interpreter there is nothing to finish.
        drop(finished);
    }
}
