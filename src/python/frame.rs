//! Frames on their way in: Arrow streams that are pulled to their end.

use polars_arrow::array::StructArray;
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_arrow::ffi::{ArrowArrayStream, ArrowArrayStreamReader};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

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
    fn new(py: Python<'_>, frame: &Bound<'_, PyAny>, height: usize) -> PyResult<Self> {
        let stream = take_stream(&frame.call_method0("__arrow_c_stream__")?)?;
        // The producer may need the interpreter.
        let (fields, mut batches) = py.detach(|| pull(stream)).map_err(PyValueError::new_err)?;
        if fields.is_empty() {
            batches = vec![StructArray::new(ArrowDataType::Struct(Vec::new()), height, Vec::new(), None)];
        }
        Ok(Self { fields, batches })
    }
}

/// Moves the stream out of its capsule.
#[allow(unsafe_code)]
fn take_stream(capsule: &Bound<'_, PyAny>) -> PyResult<Box<ArrowArrayStream>> {
    let capsule = capsule.cast::<PyCapsule>()?;
    let stream = capsule.pointer_checked(Some(c"arrow_array_stream"))?.cast::<ArrowArrayStream>();
    // SAFETY: a capsule of this name holds a stream. An empty one is left in its place, which releases nothing.
    Ok(Box::new(unsafe { std::mem::replace(&mut *stream.as_ptr(), ArrowArrayStream::empty()) }))
}

#[allow(unsafe_code)]
fn pull(stream: Box<ArrowArrayStream>) -> Result<(Vec<Field>, Vec<StructArray>), String> {
    let failed = |error: polars_error::PolarsError| format!("the Arrow stream failed: {error}");
    // SAFETY: the producer follows the interface.
    let mut reader = unsafe { ArrowArrayStreamReader::try_new(stream) }.map_err(failed)?;
    let ArrowDataType::Struct(fields) = reader.field().dtype().clone() else {
        return Err("the Arrow stream holds an array, not the columns of a frame".to_owned());
    };
    let mut batches = Vec::new();
    // SAFETY: as above.
    while let Some(array) = unsafe { reader.next() } {
        let array = array.map_err(failed)?;
        match array.as_any().downcast_ref::<StructArray>() {
            Some(rows) if rows.validity().is_none_or(|validity| validity.unset_bits() == 0) => {
                batches.push(rows.clone())
            }
            _ => return Err("the Arrow stream holds rows that are null".to_owned()),
        }
    }
    Ok((fields, batches))
}
