//! Exchange of arrays with Polars as Arrow `PyCapsule`s, without a copy.

use std::sync::Arc;

use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_arrow::ffi::{self, ArrowArrayStream};
use polars_error::PolarsResult;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCapsule, PyTuple, PyType};

use super::damage::Report;
use super::importable::importable;
use super::interpreter::WithoutGil;
use polars_avro::Result;
use polars_avro::arrow_import::{self, CStruct, ImportedRows};

/// Consecutive rows. They can be exported again if Ctrl-C interrupts the import.
#[pyclass(module = "polars_avro._core")]
pub(super) struct Batch {
    height: usize,
    batch: polars_avro::Batch,
}

/// Consecutive batches of one read.
#[pyclass(module = "polars_avro._core")]
pub(super) struct Batches {
    fields: Arc<[Field]>,
    height: usize,
    rest: Option<Vec<polars_avro::Batch>>,
    /// True if the rows can be taken again. The batches of a whole file are moved out instead, as cloning allocates
    /// memory for each array.
    is_kept: bool,
    bad_blocks: Vec<Report>,
}

/// Rows passed back from Python.
#[derive(FromPyObject)]
pub(super) enum Returned<'py> {
    One(PyRef<'py, Batch>),
    Several(PyRef<'py, Batches>),
}

impl Returned<'_> {
    pub(super) fn batches(&self) -> Vec<polars_avro::Batch> {
        match self {
            Self::One(batch) => vec![batch.batch.clone()],
            Self::Several(batches) => batches.rest.clone().unwrap_or_default(),
        }
    }
}

/// The rows of one column of several batches.
#[pyclass(module = "polars_avro._core")]
pub(super) struct Column {
    field: Field,
    arrays: Option<Vec<Box<dyn Array>>>,
}

impl From<polars_avro::Batch> for Batch {
    fn from(batch: polars_avro::Batch) -> Self {
        Self { height: batch.height, batch }
    }
}

impl Batches {
    pub(super) fn new(fields: Arc<[Field]>, batches: Vec<polars_avro::Batch>, bad_blocks: Vec<Report>) -> Self {
        let height = batches.iter().map(|batch| batch.height).sum();
        Self { fields, height, rest: Some(batches), is_kept: false, bad_blocks }
    }

    /// Keeps the rows, so that they can be exported again if Ctrl-C interrupts the import.
    pub(super) fn kept(self) -> Self {
        Self { is_kept: true, ..self }
    }

    fn take(&mut self) -> PyResult<Vec<polars_avro::Batch>> {
        if self.is_kept { self.rest.clone() } else { self.rest.take() }.ok_or_else(taken)
    }
}

#[pymethods]
impl Batch {
    /// The number of rows, which a batch without columns has too.
    #[getter]
    fn height(&self) -> usize {
        self.height
    }

    /// The number of columns.
    #[getter]
    fn width(&self) -> usize {
        self.batch.arrays.len()
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        // The interface allows a producer to keep its own types.
        drop(requested_schema);
        let batch = self.batch.clone();
        let schema = PyCapsule::new_with_value(py, ffi::export_field_to_c(&root(py, &batch.fields)?), c"arrow_schema")?;
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

    /// Returns the blocks that were dropped.
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
        let root = root(py, &self.fields)?;
        stream_capsule(py, root, self.take()?.into_iter().map(rows))
    }

    /// Returns the number of batches.
    #[getter]
    fn n_batches(&self) -> usize {
        self.rest.as_ref().map_or(0, Vec::len)
    }

    /// Returns the same rows column by column.
    fn columns(&mut self) -> PyResult<Vec<Column>> {
        let mut columns = vec![Vec::new(); self.fields.len()];
        for batch in self.take()? {
            columns.iter_mut().zip(batch.arrays).for_each(|(arrays, array)| arrays.push(array));
        }
        let column = |(field, arrays): (&Field, _)| Column { field: field.clone(), arrays: Some(arrays) };
        Ok(self.fields.iter().zip(columns).map(column).collect())
    }
}

#[pymethods]
impl Column {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &mut self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        column_capsule(py, &self.field, &mut self.arrays)
    }
}

static FRAME: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static SERIES: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Imports the type and the arrays of a `polars.Series` or a `polars.DataFrame`.
pub(super) fn pull(object: &Bound<'_, PyAny>) -> PyResult<(Field, Vec<Box<dyn Array>>)> {
    let py = object.py();
    if !object.is_instance(FRAME.import(py, "polars", "DataFrame")?)?
        && !object.is_instance(SERIES.import(py, "polars", "Series")?)?
    {
        let message =
            format!("expected a Series or a DataFrame of Polars, got {:?}", object.get_type().name()?.to_string());
        return Err(PyTypeError::new_err(message));
    }
    let stream = take_stream(&object.call_method0("__arrow_c_stream__")?)?;
    // Polars may need the interpreter.
    py.without_gil(|| pull_all(stream))
        .map_err(|error| PyValueError::new_err(format!("the Arrow stream failed: {error}")))
}

/// Returns the rows of an object with `__arrow_c_stream__` or `__arrow_c_array__` by any producer.
pub(super) fn imported_rows(object: &Bound<'_, PyAny>) -> PyResult<Result<ImportedRows>> {
    if object.hasattr("__arrow_c_stream__")? {
        let stream = take(&object.call_method0("__arrow_c_stream__")?)?;
        // The producer may need the interpreter.
        return Ok(object.py().without_gil(|| ImportedRows::of_stream(stream)));
    }
    let (schema, array): (Bound<'_, PyAny>, Bound<'_, PyAny>) = object.call_method0("__arrow_c_array__")?.extract()?;
    Ok(ImportedRows::of_array(&take(&schema)?, take(&array)?))
}

/// Moves a struct out of its capsule.
#[allow(unsafe_code)]
fn take<T: CStruct>(capsule: &Bound<'_, PyAny>) -> PyResult<T> {
    let pointer = capsule.cast::<PyCapsule>()?.pointer_checked(Some(T::CAPSULE))?.cast::<T>();
    // SAFETY: a capsule of this name holds such a struct, and the interpreter is attached, so no other thread takes it.
    Ok(unsafe { arrow_import::take(pointer) })
}

/// Moves the stream out of its capsule.
#[allow(unsafe_code)]
fn take_stream(capsule: &Bound<'_, PyAny>) -> PyResult<Box<ArrowArrayStream>> {
    let capsule = capsule.cast::<PyCapsule>()?;
    let stream = capsule.pointer_checked(Some(c"arrow_array_stream"))?.cast::<ArrowArrayStream>();
    // SAFETY: a capsule of this name holds a stream. An empty one is left in its place, which releases nothing.
    Ok(Box::new(unsafe { std::mem::replace(&mut *stream.as_ptr(), ArrowArrayStream::empty()) }))
}

/// Imports a stream without checks. This is valid for arrays that polars-arrow exported in its own layout. Data of
/// other producers goes through `arrow_import`.
#[allow(unsafe_code)]
fn pull_all(stream: Box<ArrowArrayStream>) -> PolarsResult<(Field, Vec<Box<dyn Array>>)> {
    // SAFETY: the producer is Polars, as the caller has checked.
    let mut reader = unsafe { ffi::ArrowArrayStreamReader::try_new(stream) }?;
    let (field, mut arrays) = (reader.field().clone(), Vec::new());
    // SAFETY: as above.
    while let Some(array) = unsafe { reader.next() } {
        arrays.push(array?);
    }
    Ok((field, arrays))
}

/// Exports arrays of one type as an Arrow stream.
fn stream_capsule(
    py: Python<'_>,
    field: Field,
    arrays: impl Iterator<Item = Box<dyn Array>> + 'static,
) -> PyResult<Bound<'_, PyCapsule>> {
    let stream = ffi::export_iterator(Box::new(arrays.map(Ok)), field);
    PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
}

/// Exports one column as an Arrow stream, once, if Polars can import it.
pub(super) fn column_capsule<'py>(
    py: Python<'py>,
    field: &Field,
    arrays: &mut Option<Vec<Box<dyn Array>>>,
) -> PyResult<Bound<'py, PyCapsule>> {
    let arrays = arrays.take().ok_or_else(taken)?;
    stream_capsule(py, importable(py, field.clone())?, arrays.into_iter())
}

/// Exports the columns of a file as one Arrow schema.
pub(super) fn schema_capsule<'py>(py: Python<'py>, fields: &[Field]) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, ffi::export_field_to_c(&root(py, fields)?), c"arrow_schema")
}

/// Exports batches as one Arrow stream; each is made when the consumer requests it.
pub(super) fn batches_capsule<'py>(
    py: Python<'py>,
    fields: &[Field],
    next: impl FnMut() -> Option<polars_avro::Result<polars_avro::Batch>> + Send + 'static,
) -> PyResult<Bound<'py, PyCapsule>> {
    let array = |batch: polars_avro::Result<polars_avro::Batch>| match batch {
        Ok(batch) => Ok(rows(batch)),
        Err(error) => Err(polars_error::PolarsError::ComputeError(error.to_string().into())),
    };
    let stream = ffi::export_iterator(Box::new(std::iter::from_fn(next).map(array)), root(py, fields)?);
    PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
}

/// Returns the columns as one struct field, if Polars can import them.
fn root(py: Python<'_>, fields: &[Field]) -> PyResult<Field> {
    importable(py, Field::new("".into(), ArrowDataType::Struct(fields.to_vec()), false))
}

fn rows(batch: polars_avro::Batch) -> Box<dyn Array> {
    batch.into_struct().boxed()
}

fn taken() -> PyErr {
    pyo3::exceptions::PyValueError::new_err("the batch has been given away already")
}
