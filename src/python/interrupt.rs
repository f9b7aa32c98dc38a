//! Waiting for bytes that take long to come, so that Ctrl-C ends the wait.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;

use super::error::Raised;
use crate::{Error, ErrorKind, Result};

/// A source whose reads may wait.
pub(super) trait Interrupt: Send + Sync {
    /// Ends the reads that wait now.
    fn interrupt(&self);
}

/// The slow source behind a file, if it is one.
pub(super) type Slow = Option<Arc<dyn Interrupt>>;

/// How often Python's signals are looked at, and how long an ended read has to stop.
const CHECK: Duration = Duration::from_millis(50);
const STOP: Duration = Duration::from_millis(5);
const STOPS: usize = 100;

/// Does something without the GIL. If it may wait for long it runs on a thread of its own, and Ctrl-C ends it.
pub(super) fn detached<T: Send + 'static>(
    py: Python<'_>,
    slow: &Slow,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> std::result::Result<T, Raised> {
    match slow {
        None => Ok(py.detach(work)?),
        Some(source) => py.detach(|| interruptible(&**source, work)),
    }
}

fn interruptible<T: Send + 'static>(
    source: &dyn Interrupt,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> std::result::Result<T, Raised> {
    let (sender, receiver) = channel();
    let run = move || {
        // The receiver is gone if the wait was ended.
        let _ = sender.send(catch_unwind(AssertUnwindSafe(work)));
    };
    let started = thread::Builder::new().name("polars-avro-wait".to_owned()).spawn(run);
    started.map_err(|error| Error::new(ErrorKind::Source, format!("cannot start a thread: {error}")))?;
    loop {
        match receiver.recv_timeout(CHECK) {
            Ok(Ok(done)) => return Ok(done?),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::new(ErrorKind::Internal, "a thread ended without a result").into());
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Err(raised) = Python::attach(Python::check_signals) {
                    // The work may be between two reads.
                    for _ in 0..STOPS {
                        source.interrupt();
                        if !matches!(receiver.recv_timeout(STOP), Err(RecvTimeoutError::Timeout)) {
                            break;
                        }
                    }
                    return Err(raised.into());
                }
            }
        }
    }
}
