//! Arrays as Arrow `PyCapsule`s, which Polars and this module import from each other without a copy.

use std::sync::Arc;

use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_arrow::ffi::{self, ArrowArrayStream};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

use super::damage::Report;

/// Consecutive rows; gives its columns away once.
#[pyclass(module = "polars_avro._core")]
pub(super) struct Batch {
    height: usize,
    batch: Option<crate::Batch>,
}

/// Consecutive batches of one read; gives its columns away once.
#[pyclass(module = "polars_avro._core")]
pub(super) struct Batches {
    fields: Arc<[Field]>,
    height: usize,
    rest: Option<Vec<crate::Batch>>,
    bad_blocks: Vec<Report>,
}

impl From<crate::Batch> for Batch {
    fn from(batch: crate::Batch) -> Self {
        Self { height: batch.height, batch: Some(batch) }
    }
}

impl Batches {
    pub(super) fn new(fields: Arc<[Field]>, batches: Vec<crate::Batch>, bad_blocks: Vec<Report>) -> Self {
        let height = batches.iter().map(|batch| batch.height).sum();
        Self { fields, height, rest: Some(batches), bad_blocks }
    }
}

#[pymethods]
impl Batch {
    /// The number of rows; what a batch of no columns has to say.
    #[getter]
    fn height(&self) -> usize {
        self.height
    }

    /// The number of columns; 0 once they are given away.
    #[getter]
    fn width(&self) -> usize {
        self.batch.as_ref().map_or(0, |batch| batch.arrays.len())
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &mut self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        // The interface allows a producer to keep its own types.
        drop(requested_schema);
        let batch = self.batch.take().ok_or_else(taken)?;
        let schema = PyCapsule::new_with_value(py, ffi::export_field_to_c(&root(&batch.fields)), c"arrow_schema")?;
        let array = PyCapsule::new_with_value(py, ffi::export_array_to_c(rows(batch)), c"arrow_array")?;
        (schema, array).into_pyobject(py)
    }
}

#[pymethods]
impl Batches {
    /// The number of rows of all batches.
    #[getter]
    fn height(&self) -> usize {
        self.height
    }

    /// What was left out.
    #[getter]
    fn bad_blocks(&self) -> Vec<Report> {
        self.bad_blocks.clone()
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &mut self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let batches = self.rest.take().ok_or_else(taken)?;
        stream_capsule(py, root(&self.fields), batches.into_iter().map(rows))
    }
}

/// The arrays that an object with `__arrow_c_stream__` gives away, such as a `polars.Series`. `giver` is its name in errors.
#[allow(unsafe_code)]
pub(super) fn arrays(giver: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<Box<dyn Array>>> {
    let capsule = giver.call_method0("__arrow_c_stream__")?;
    let stream = capsule.cast::<PyCapsule>()?.pointer_checked(Some(c"arrow_array_stream"))?.cast::<ArrowArrayStream>();
    // SAFETY: a capsule of this name holds a stream, which stays there while the capsule is borrowed; it is used up here.
    let reader = unsafe { ffi::ArrowArrayStreamReader::try_new(&mut *stream.as_ptr()) };
    let failed =
        |error: polars_error::PolarsError| PyTypeError::new_err(format!("{name} gave a broken array: {error}"));
    let (mut reader, mut arrays) = (reader.map_err(failed)?, Vec::new());
    // SAFETY: the producer follows the interface.
    while let Some(array) = unsafe { reader.next() } {
        arrays.push(array.map_err(failed)?);
    }
    Ok(arrays)
}

/// Arrays of one type as an Arrow stream.
pub(super) fn stream_capsule<'py>(
    py: Python<'py>,
    field: Field,
    arrays: impl Iterator<Item = Box<dyn Array>> + 'static,
) -> PyResult<Bound<'py, PyCapsule>> {
    let stream = ffi::export_iterator(Box::new(arrays.map(Ok)), field);
    PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
}

/// The columns of a file as one Arrow schema.
pub(super) fn schema_capsule<'py>(py: Python<'py>, fields: &[Field]) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, ffi::export_field_to_c(&root(fields)), c"arrow_schema")
}

/// Batches as one Arrow stream, each made when the consumer asks for it.
pub(super) fn batches_capsule<'py>(
    py: Python<'py>,
    fields: &[Field],
    next: impl FnMut() -> Option<crate::Result<crate::Batch>> + Send + 'static,
) -> PyResult<Bound<'py, PyCapsule>> {
    let array = |batch: crate::Result<crate::Batch>| match batch {
        Ok(batch) => Ok(rows(batch)),
        Err(error) => Err(polars_error::PolarsError::ComputeError(error.to_string().into())),
    };
    let stream = ffi::export_iterator(Box::new(std::iter::from_fn(next).map(array)), root(fields));
    PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
}

fn root(fields: &[Field]) -> Field {
    Field::new("".into(), ArrowDataType::Struct(fields.to_vec()), false)
}

fn rows(batch: crate::Batch) -> Box<dyn Array> {
    batch.into_struct().boxed()
}

pub(super) fn taken() -> PyErr {
    pyo3::exceptions::PyValueError::new_err("the batch has been given away already")
}
