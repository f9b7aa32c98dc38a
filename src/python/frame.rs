//! Import of frames: Polars frames as a whole, and Arrow data of other producers batch by batch.

use std::sync::{Arc, Mutex, PoisonError};

use polars_arrow::array::{Array, StructArray};
use polars_arrow::datatypes::{ArrowDataType, Field};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use super::arrow::{Batch, imported_rows, pull, schema_capsule};
use super::error::Raised;
use super::interpreter::WithoutGil;
use polars_avro::arrow_import::ImportedRows;

/// The rows of one frame, sharing its memory.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct Frame {
    pub(super) fields: Vec<Field>,
    pub(super) batches: Vec<StructArray>,
}

#[pymethods]
impl Frame {
    /// Imports the result of `__arrow_c_stream__`. `height` is the number of rows if there are no columns. If
    /// `checked`, the stream is validated as that of another producer.
    #[new]
    #[pyo3(signature = (frame, height, checked=false))]
    fn new(frame: &Bound<'_, PyAny>, height: usize, checked: bool) -> PyResult<Self> {
        if checked {
            let mut rows = imported_rows(frame)?.map_err(Raised::from)?;
            let imported = frame.py().without_gil(|| rows.by_ref().collect::<polars_avro::Result<_>>());
            return Ok(Self { batches: imported.map_err(Raised::from)?, fields: rows.fields.to_vec() });
        }
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

/// The batches of an object with an Arrow interface, imported on demand.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct FrameStream {
    fields: Arc<[Field]>,
    rows: Mutex<ImportedRows>,
}

#[pymethods]
impl FrameStream {
    #[new]
    fn new(source: &Bound<'_, PyAny>) -> PyResult<Self> {
        let rows = imported_rows(source)?.map_err(Raised::from)?;
        Ok(Self { fields: rows.fields.clone(), rows: Mutex::new(rows) })
    }

    /// Exports the columns, for `polars.Schema`.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.fields)
    }

    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        let next = py.without_gil(|| self.rows.lock().unwrap_or_else(PoisonError::into_inner).next().transpose());
        let batch = |rows: StructArray| {
            let (height, arrays) = (rows.len(), rows.values().to_vec());
            Batch::from(polars_avro::Batch::new(self.fields.clone(), arrays, height))
        };
        Ok(next.map_err(Raised::from)?.map(batch))
    }
}
