//! Arrow data of other producers than Polars, checked before its buffers are read.

mod abi;
mod arrays;
mod types;

use std::sync::Arc;

use polars_arrow::array::StructArray;
use polars_arrow::datatypes::{ArrowDataType, Field};
use pyo3::prelude::*;

use self::abi::{CArray, CStream};
use self::types::ColumnType;
use super::interpreter::WithoutGil;
use crate::{Error, Result};

/// Rows of an object with `__arrow_c_stream__` or `__arrow_c_array__`, batch by batch.
pub(super) struct ImportedRows {
    source: Source,
    column: ColumnType,
    pub(super) fields: Arc<[Field]>,
}

enum Source {
    Stream(Box<CStream>),
    Array(Option<CArray>),
}

impl ImportedRows {
    /// Takes the rows of an object and reads their type. The GIL is released, as a producer may need the interpreter.
    pub(super) fn of(object: &Bound<'_, PyAny>) -> PyResult<Result<Self>> {
        let py = object.py();
        if object.hasattr("__arrow_c_stream__")? {
            let mut stream = abi::take_stream(&object.call_method0("__arrow_c_stream__")?)?;
            return Ok(py.without_gil(|| {
                let column = ColumnType::read(&stream.schema().map_err(failed)?)?;
                Self::new(Source::Stream(stream), column)
            }));
        }
        let (schema, array): (Bound<'_, PyAny>, Bound<'_, PyAny>) =
            object.call_method0("__arrow_c_array__")?.extract()?;
        let (schema, array) = abi::take_array(&schema, &array)?;
        let column = ColumnType::read(&schema);
        Ok(column.and_then(|column| Self::new(Source::Array(Some(array)), column)))
    }

    fn new(source: Source, column: ColumnType) -> Result<Self> {
        match column.field.dtype() {
            ArrowDataType::Struct(fields) => Ok(Self { fields: fields.as_slice().into(), source, column }),
            _ => Err(Error::argument("the Arrow stream holds an array, not the columns of a frame")),
        }
    }

    /// Imports the next rows. The GIL is released, as a producer may need the interpreter.
    pub(super) fn next(&mut self) -> Result<Option<StructArray>> {
        let array = match &mut self.source {
            Source::Stream(stream) => stream.next().map_err(failed)?,
            Source::Array(array) => array.take(),
        };
        let Some(array) = array else { return Ok(None) };
        let array = arrays::import(array, &self.column)?;
        match array.as_any().downcast_ref::<StructArray>() {
            Some(rows) if rows.validity().is_none_or(|validity| validity.unset_bits() == 0) => Ok(Some(rows.clone())),
            _ => Err(Error::argument("the Arrow stream holds rows that are null")),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "maps errors")]
fn failed(message: String) -> Error {
    Error::argument(format!("the Arrow stream failed: {message}"))
}

#[cold]
fn malformed(path: &str, message: &str) -> Error {
    Error::argument(format!("malformed Arrow data: {message}")).at(|position| position.path = Some(path.to_owned()))
}
