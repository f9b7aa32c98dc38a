//! Positioned reads of open files and of objects with `read` and `seek`.

use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};

use polars_buffer::Buffer;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use super::error::Raised;
use super::interpreter::attach;
use super::interrupt::Waiting;
use polars_avro::{Error, ErrorKind, FileSource, Result, Source};

/// A file that Python opened, read from a start position on.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct OpenFile {
    pub(super) source: Arc<dyn Source>,
    /// The object, if it is read with the GIL.
    pub(super) object: Option<Arc<ObjectSource>>,
}

#[pymethods]
impl OpenFile {
    /// Opens a regular file by its descriptor, which is duplicated. It is read without the GIL, and its position does
    /// not change.
    #[staticmethod]
    #[cfg(unix)]
    fn from_descriptor(descriptor: i32, name: String, start: u64) -> std::result::Result<Self, Raised> {
        use std::os::fd::BorrowedFd;
        if descriptor < 0 {
            return Err(Error::new(ErrorKind::Argument, "the file is closed").in_file(&name).into());
        }
        // SAFETY: the caller holds the file open during the call, and the duplicate is what is kept.
        #[allow(unsafe_code)]
        let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
        let duplicate = borrowed.try_clone_to_owned();
        let duplicate = duplicate
            .map_err(|error| Error::new(ErrorKind::Source, error.to_string()).with_cause(error).in_file(&name))?;
        let source = FileSource::from_file(File::from(duplicate), name, start)?;
        Ok(Self { source: Arc::new(source), object: None })
    }

    /// Opens an object of `size` bytes with `read` and `seek`.
    #[staticmethod]
    fn from_object(readable: Py<PyAny>, name: String, start: u64, size: u64) -> Self {
        let source = Arc::new(ObjectSource {
            object: readable,
            name,
            start,
            size: size.saturating_sub(start),
            state: Mutex::default(),
        });
        Self { source: source.clone(), object: Some(source) }
    }
}

/// A source that seeks and reads an object; one thread at a time.
pub(super) struct ObjectSource {
    object: Py<PyAny>,
    name: String,
    start: u64,
    size: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// True after a signal: reads fail until the next work begins.
    ended: bool,
}

impl ObjectSource {
    fn read(&self, offset: u64, len: usize) -> Result<PyResult<Buffer<u8>>> {
        attach(|py| {
            let object = self.object.bind(py);
            object.call_method1("seek", (self.start + offset,))?;
            let first: PyBackedBytes = object.call_method1("read", (len,))?.extract()?;
            if first.len() == len {
                return Ok(Buffer::from_owner(first));
            }
            let mut bytes = first.to_vec();
            while bytes.len() < len {
                let more: PyBackedBytes = object.call_method1("read", (len - bytes.len(),))?.extract()?;
                if more.is_empty() {
                    break;
                }
                bytes.extend_from_slice(&more);
            }
            Ok(bytes.into())
        })
    }
}

impl Source for ObjectSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, len: usize) -> Result<Buffer<u8>> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        // The lock is taken before the GIL, to avoid a deadlock.
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.ended {
            let error = std::io::Error::new(std::io::ErrorKind::Interrupted, "the read was interrupted");
            return Err(Error::new(ErrorKind::Source, error.to_string()).with_cause(error).in_file(&self.name));
        }
        let failed = |raised: PyErr| {
            Error::new(ErrorKind::Callback, "reading the object failed").with_cause(raised).in_file(&self.name)
        };
        if left == 0 || len == 0 {
            return Ok(Buffer::new());
        }
        self.read(offset, len.min(left))?.map_err(failed)
    }

    fn is_remote(&self) -> bool {
        true
    }
}

impl Waiting for ObjectSource {
    fn begin(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).ended = false;
    }

    fn end_reads(&self) {
        if let Ok(mut state) = self.state.try_lock() {
            state.ended = true;
        }
    }
}
