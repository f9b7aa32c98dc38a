//! The gate for calls from native threads into the interpreter.
//!
//! A thread that takes the GIL while the interpreter finalizes is killed within its Rust frames, which ends the process
//! by a signal. The threads of this crate and of Polars may still run at the end of a script. Therefore the exit
//! handlers in `polars_avro/_engine/shutdown.py` close this gate. After that, no thread of this crate calls Python, and
//! Python threads that return from Rust block forever, as they do since Python 3.14.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use polars_avro::{Error, ErrorKind};

/// The number of threads that hold the GIL for this crate, or are about to take it.
static INSIDE: AtomicUsize = AtomicUsize::new(0);

/// The thread that finalizes the interpreter and may still call Python; 0 while the gate is open.
///
/// Atomics instead of a lock: a process may fork at any time.
static CLOSED_BY: AtomicUsize = AtomicUsize::new(0);

/// The thread that ends the program; 0 before that.
static STOPPED_BY: AtomicUsize = AtomicUsize::new(0);

/// Returns a number that is unique among live threads.
fn current_thread() -> usize {
    thread_local!(static MARK: u8 = const { 0 });
    MARK.with(|mark| std::ptr::from_ref(mark).addr())
}

/// A guard that counts a thread as inside until it is dropped.
struct Inside;

impl Inside {
    /// Lets the thread in, unless the gate is closed.
    fn enter() -> Option<Self> {
        // Counted before the gate is checked: either the thread that closes the gate sees this thread, or this thread
        // sees the gate closed.
        INSIDE.fetch_add(1, Ordering::SeqCst);
        let inside = Self;
        let closed_by = CLOSED_BY.load(Ordering::SeqCst);
        (closed_by == 0 || closed_by == current_thread()).then_some(inside)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Runs `work` with the interpreter, on any thread.
///
/// # Errors
/// [`ErrorKind::Callback`] if the interpreter is shutting down.
pub(super) fn attach<T>(work: impl FnOnce(Python<'_>) -> T) -> polars_avro::Result<T> {
    let inside = Inside::enter();
    let done = inside.as_ref().and_then(|_| Python::try_attach(work));
    done.ok_or_else(|| Error::new(ErrorKind::Callback, "the interpreter is shutting down"))
}

/// Work without the GIL.
pub(super) trait WithoutGil: Copy {
    /// Runs `work` without the GIL. If another thread closes the gate meanwhile, this one blocks forever.
    fn without_gil<T: Send>(self, work: impl FnOnce() -> T + Send) -> T;
}

impl WithoutGil for Python<'_> {
    fn without_gil<T: Send>(self, work: impl FnOnce() -> T + Send) -> T {
        let (done, inside) = self.detach(|| {
            let done = work();
            let inside = Inside::enter().unwrap_or_else(|| stay_outside());
            (done, inside)
        });
        // The GIL is held again.
        drop(inside);
        done
    }
}

/// Runs `work` in the destructor of an object, without the GIL. Destructors hold the GIL unless the interpreter has
/// ended.
pub(super) fn drop_without_gil(work: impl FnOnce() + Send) {
    let mut work = Some(work);
    let attached = attach(|py| {
        let work = work.take();
        py.without_gil(move || {
            if let Some(work) = work {
                work();
            }
        });
    });
    // The interpreter is shutting down.
    if attached.is_err()
        && let Some(work) = work
    {
        work();
    }
}

/// Blocks a daemon thread until the process ends.
fn stay_outside() -> ! {
    loop {
        thread::park();
    }
}

/// Marks this thread as the one that ends the program.
pub(super) fn begin_stopping() {
    STOPPED_BY.store(current_thread(), Ordering::SeqCst);
}

/// Returns true if another thread ends the program, so the work of this one is no longer needed.
pub(super) fn is_stopping() -> bool {
    let stopped_by = STOPPED_BY.load(Ordering::SeqCst);
    stopped_by != 0 && stopped_by != current_thread()
}

/// Blocks new calls from native threads into Python, and waits at most `patience` seconds for current calls.
#[pyfunction]
pub(super) fn close_interpreter(py: Python<'_>, patience: f64) {
    CLOSED_BY.store(current_thread(), Ordering::SeqCst);
    let deadline = Instant::now() + Duration::from_secs_f64(patience);
    py.detach(|| {
        while INSIDE.load(Ordering::SeqCst) > 0 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    });
}

/// Opens the gate in a forked process, which has only one of its parent's threads.
#[pyfunction]
pub(super) fn reopen_interpreter() {
    CLOSED_BY.store(0, Ordering::SeqCst);
    STOPPED_BY.store(0, Ordering::SeqCst);
    INSIDE.store(0, Ordering::SeqCst);
}
