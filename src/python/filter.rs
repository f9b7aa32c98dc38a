//! A Python callable as a filter of rows.

use polars_arrow::array::BooleanArray;
use polars_arrow::bitmap::{Bitmap, BitmapBuilder};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use super::arrow::{Batch, pull};
use super::interpreter::attach;
use polars_avro::{Error, ErrorKind, Result, RowFilter};

/// A callable that takes a `Batch` and returns booleans as an Arrow stream, such as a `polars.Series`.
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

    fn evaluate(&self, batch: polars_avro::Batch) -> Result<Bitmap> {
        let ask = |py: Python<'_>| {
            let answer = self.callable.bind(py).call1((Batch::from(batch),))?;
            booleans(&answer)
        };
        attach(ask)?.map_err(|raised| Error::new(ErrorKind::Callback, "a filter failed").with_cause(raised))
    }
}

/// Imports booleans; null is false.
fn booleans(answer: &Bound<'_, PyAny>) -> PyResult<Bitmap> {
    let mut out = BitmapBuilder::new();
    for array in pull(answer)?.1 {
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
