//! Sinks that write to Python objects, and sinks that Ctrl-C interrupts.

use pyo3::exceptions::{PyBlockingIOError, PyOSError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::interpreter::attach;
use polars_avro::{Error, ErrorKind, Result, Sink};

/// A sink that writes to an object with `write`.
pub(super) struct WritableSink {
    target: Py<PyAny>,
    /// The bytes held until the end, if the object gets all or nothing. Python objects would take twice as long, as
    /// Python's allocator gets fresh pages for each.
    held: Option<Vec<Vec<u8>>>,
}

impl WritableSink {
    /// Makes a sink that writes to `target` immediately, or at the end if `held`.
    pub(super) fn new(target: Py<PyAny>, held: bool) -> Self {
        Self { target, held: held.then(Vec::new) }
    }
}

/// Runs `work` with the GIL; an exception becomes the error's cause, unchanged.
fn attached(work: impl FnOnce(Python<'_>) -> PyResult<()>) -> Result<()> {
    attach(work)?.map_err(|raised| Error::new(ErrorKind::Callback, "writing failed").with_cause(raised))
}

/// Returns true if None from `write` means that no bytes were written, as with Python's raw files.
fn is_raw(target: &Bound<'_, PyAny>) -> PyResult<bool> {
    target.is_instance(&target.py().import("io")?.getattr("RawIOBase")?)
}

/// Calls `write` until all bytes are written: unbuffered files may write fewer.
fn write_all<'py>(target: &Bound<'py, PyAny>, mut rest: Bound<'py, PyBytes>) -> PyResult<()> {
    while !rest.as_bytes().is_empty() {
        let (taken, len) = (target.call_method1("write", (&rest,))?, rest.as_bytes().len());
        match taken.extract::<i64>().map(usize::try_from) {
            Ok(Err(_)) => return Err(PyOSError::new_err(format!("write() returned {taken} for {len} bytes"))),
            Ok(Ok(0)) => return Err(PyOSError::new_err(format!("write() took none of {len} bytes"))),
            Ok(Ok(taken)) if taken <= len => rest = PyBytes::new(target.py(), &rest.as_bytes()[taken..]),
            _ if taken.is_none() && is_raw(target)? => {
                let message = format!("write() took none of {len} bytes, as a file that does not block");
                return Err(PyBlockingIOError::new_err(message));
            }
            // Not every object returns the number of bytes written.
            _ => return Ok(()),
        }
    }
    Ok(())
}

impl Sink for WritableSink {
    fn name(&self) -> &'static str {
        "<object>"
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(held) = &mut self.held {
            held.push(bytes.to_vec());
            return Ok(());
        }
        attached(|py| write_all(self.target.bind(py), PyBytes::new(py, bytes)))
    }

    fn finish(&mut self) -> Result<()> {
        attached(|py| {
            let target = self.target.bind(py);
            for portion in self.held.take().unwrap_or_default() {
                write_all(target, PyBytes::new(py, &portion))?;
            }
            if target.hasattr("flush")? {
                target.call_method0("flush")?;
            }
            Ok(())
        })
    }
}

/// A wrapper around a sink that checks Python's signals between writes.
pub(super) struct InterruptibleSink(pub(super) Box<dyn Sink>);

impl Sink for InterruptibleSink {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        signals()?;
        self.0.write(bytes)
    }

    fn finish(&mut self) -> Result<()> {
        signals()?;
        self.0.finish()
    }
}

#[expect(clippy::redundant_closure_for_method_calls, reason = "the method alone is of one lifetime")]
pub(super) fn signals() -> Result<()> {
    attached(|py| py.check_signals())
}
