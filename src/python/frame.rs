//! Frames on their way in: Arrow streams that are pulled to their end.

use std::sync::{Arc, Mutex, PoisonError};

use polars_arrow::array::{Array, StructArray};
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_arrow::ffi::{ArrowArrayStream, ArrowArrayStreamReader};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::arrow::{Batch, pull, take_stream};
use super::interpreter::WithoutGil;

/// The rows of one frame, in memory that is shared with it.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct Frame {
    pub(super) fields: Vec<Field>,
    pub(super) batches: Vec<StructArray>,
}

#[pymethods]
impl Frame {
    /// Imports what `__arrow_c_stream__` gives. `height` counts the rows if there are no columns.
    #[new]
    fn new(frame: &Bound<'_, PyAny>, height: usize) -> PyResult<Self> {
        let (field, arrays) = pull(frame)?;
        let ArrowDataType::Struct(fields) = field.dtype().clone() else {
            return Err(PyValueError::new_err("the Arrow stream holds an array, not the columns of a frame"));
        };
        let rows = |array: Box<dyn Array>| match array.as_any().downcast_ref::<StructArray>() {
            Some(rows) if rows.validity().is_none_or(|validity| validity.unset_bits() == 0) => Ok(rows.clone()),
            _ => Err(PyValueError::new_err("the Arrow stream holds rows that are null")),
        };
        let mut batches = arrays.into_iter().map(rows).collect::<PyResult<Vec<_>>>()?;
        if fields.is_empty() {
            batches = vec![StructArray::new(ArrowDataType::Struct(Vec::new()), height, Vec::new(), None)];
        }
        Ok(Self { fields, batches })
    }
}

/// A stream that is pulled batch by batch. The producer may need the interpreter, so it is pulled detached.
struct Stream {
    reader: ArrowArrayStreamReader<Box<ArrowArrayStream>>,
    fields: Arc<[Field]>,
}

fn failed(error: impl std::fmt::Display) -> String {
    format!("the Arrow stream failed: {error}")
}

impl Stream {
    #[allow(unsafe_code)]
    fn new(stream: Box<ArrowArrayStream>) -> Result<Self, String> {
        // SAFETY: the producer follows the interface.
        let reader = unsafe { ArrowArrayStreamReader::try_new(stream) }.map_err(failed)?;
        match reader.field().dtype() {
            ArrowDataType::Struct(fields) => Ok(Self { fields: fields.as_slice().into(), reader }),
            _ => Err("the Arrow stream holds an array, not the columns of a frame".to_owned()),
        }
    }

    #[allow(unsafe_code)]
    fn next(&mut self) -> Result<Option<StructArray>, String> {
        // SAFETY: as above.
        let Some(array) = (unsafe { self.reader.next() }) else { return Ok(None) };
        let array = array.map_err(failed)?;
        match array.as_any().downcast_ref::<StructArray>() {
            Some(rows) if rows.validity().is_none_or(|validity| validity.unset_bits() == 0) => Ok(Some(rows.clone())),
            _ => Err("the Arrow stream holds rows that are null".to_owned()),
        }
    }
}

/// The batches of whatever offers an Arrow stream, as they are asked for.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct FrameStream(Mutex<Stream>);

#[pymethods]
impl FrameStream {
    #[new]
    fn new(py: Python<'_>, source: &Bound<'_, PyAny>) -> PyResult<Self> {
        let stream = take_stream(&source.call_method0("__arrow_c_stream__")?)?;
        let stream = py.without_gil(|| Stream::new(stream)).map_err(PyValueError::new_err)?;
        Ok(Self(Mutex::new(stream)))
    }

    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        let next = py.without_gil(|| {
            let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let rows = stream.next()?;
            let batch = |rows: StructArray| {
                let (height, arrays) = (rows.len(), rows.values().to_vec());
                crate::Batch { fields: stream.fields.clone(), arrays, height, bytes: 0 }
            };
            Ok(rows.map(batch))
        });
        Ok(next.map_err(PyValueError::new_err::<String>)?.map(Batch::from))
    }
}
