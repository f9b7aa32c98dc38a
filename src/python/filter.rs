//! A Python callable as a filter of rows.

use polars_arrow::array::BooleanArray;
use polars_arrow::bitmap::{Bitmap, BitmapBuilder};
use polars_arrow::ffi::{ArrowArrayStream, ArrowArrayStreamReader};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use super::arrow::Batch;
use crate::{Error, ErrorKind, Result, RowFilter};

/// Takes a `Batch`, gives booleans as an Arrow stream: `polars.Series` is one.
#[derive(Debug)]
pub(super) struct CallableFilter {
    columns: Vec<String>,
    callable: Py<PyAny>,
}

impl CallableFilter {
    pub(super) fn new(columns: Vec<String>, callable: Py<PyAny>) -> Self {
        Self { columns, callable }
    }
}

impl RowFilter for CallableFilter {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn evaluate(&self, batch: crate::Batch) -> Result<Bitmap> {
        let ask = |py: Python<'_>| {
            let answer = self.callable.bind(py).call1((Batch::from(batch),))?;
            booleans(&answer.call_method0("__arrow_c_stream__")?)
        };
        match Python::try_attach(ask) {
            Some(answer) => {
                answer.map_err(|raised| Error::new(ErrorKind::Callback, "a filter failed").with_cause(raised))
            }
            None => Err(Error::new(ErrorKind::Callback, "the interpreter ends")),
        }
    }
}

/// The values of a stream; null is false.
#[allow(unsafe_code)]
fn booleans(stream: &Bound<'_, PyAny>) -> PyResult<Bitmap> {
    let capsule = stream.cast::<PyCapsule>()?;
    let stream = capsule.pointer_checked(Some(c"arrow_array_stream"))?.cast::<ArrowArrayStream>();
    // SAFETY: a capsule of this name holds a stream, which stays there while the capsule is borrowed; it is used up here.
    let reader = unsafe { ArrowArrayStreamReader::try_new(&mut *stream.as_ptr()) };
    let failed =
        |error: polars_error::PolarsError| PyTypeError::new_err(format!("a filter gave a broken array: {error}"));
    let mut reader = reader.map_err(failed)?;
    let mut out = BitmapBuilder::new();
    // SAFETY: the producer follows the interface.
    while let Some(array) = unsafe { reader.next() } {
        let array = array.map_err(failed)?;
        let Some(array) = array.as_any().downcast_ref::<BooleanArray>() else {
            return Err(PyTypeError::new_err(format!("a filter gave {:?} instead of booleans", array.dtype())));
        };
        match array.validity() {
            Some(validity) => out.extend_from_bitmap(&(validity & array.values())),
            None => out.extend_from_bitmap(array.values()),
        }
    }
    Ok(out.freeze())
}
