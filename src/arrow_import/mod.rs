//! Arrow data of other producers than Polars, from Arrow's C data and C stream interfaces. It is checked before its buffers
//! are read.
//!
//! Public for the Python package and the fuzz targets. Its names may change in any version.

mod arrays;
mod types;

use std::sync::Arc;

use polars_arrow::array::StructArray;
use polars_arrow::datatypes::{ArrowDataType, Field};

use self::types::ColumnType;
pub use crate::ffi::arrow::{CArray, CSchema, CStream, CStruct, take};
use crate::{Error, Result};

/// Rows of a stream or of a single array, batch by batch.
#[derive(Debug)]
pub struct ImportedRows {
    source: Source,
    column: ColumnType,
    /// The columns.
    pub fields: Arc<[Field]>,
}

#[derive(Debug)]
enum Source {
    Stream(Box<CStream>),
    Array(Option<CArray>),
}

impl ImportedRows {
    /// Reads the type of a stream.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Argument`] if the stream fails or is malformed, [`crate::ErrorKind::Unsupported`] if a type
    /// cannot be imported.
    pub fn of_stream(stream: CStream) -> Result<Self> {
        let mut stream = Box::new(stream);
        let column = ColumnType::read(&stream.schema().map_err(failed)?)?;
        Self::new(Source::Stream(stream), column)
    }

    /// Reads the type of a single array.
    ///
    /// # Errors
    /// As for a stream.
    pub fn of_array(schema: &CSchema, array: CArray) -> Result<Self> {
        Self::new(Source::Array(Some(array)), ColumnType::read(schema)?)
    }

    fn new(source: Source, column: ColumnType) -> Result<Self> {
        match column.field.dtype() {
            ArrowDataType::Struct(fields) => Ok(Self { fields: fields.as_slice().into(), source, column }),
            _ => Err(Error::argument("the Arrow stream holds an array, not the columns of a frame")),
        }
    }

    fn import_next(&mut self) -> Result<Option<StructArray>> {
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

/// The rows, batch by batch. Malformed ones are an error of [`crate::ErrorKind::Argument`].
impl Iterator for ImportedRows {
    type Item = Result<StructArray>;

    fn next(&mut self) -> Option<Self::Item> {
        self.import_next().transpose()
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
