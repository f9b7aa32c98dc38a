//! Frames on their way in: Arrow streams that are pulled to their end.

use polars_arrow::array::{Array, StructArray};
use polars_arrow::datatypes::{ArrowDataType, Field};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::arrow::pull;

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
