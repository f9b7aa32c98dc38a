//! What comes out.

use std::sync::Arc;

use polars_arrow::array::{Array, PrimitiveArray, StructArray};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::{ArrowDataType, Field};

use crate::{Error, Result};

/// Some rows of a file, as Arrow arrays in Polars' layout.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Names and types, one for each array.
    pub fields: Arc<[Field]>,
    /// The columns.
    pub arrays: Vec<Box<dyn Array>>,
    /// How many rows, also where there is no column.
    pub height: usize,
}

impl Batch {
    pub(super) fn insert_first(&mut self, field: Field, array: Box<dyn Array>) {
        self.fields = std::iter::once(field).chain(self.fields.iter().cloned()).collect();
        self.arrays.insert(0, array);
    }

    /// The batch as one array of structs.
    #[must_use]
    pub fn into_struct(self) -> StructArray {
        StructArray::new(ArrowDataType::Struct(self.fields.to_vec()), self.height, self.arrays, None)
    }
}

/// How the row index of a read is made.
#[derive(Clone, Debug)]
pub(super) struct RowIndex {
    pub(super) name: String,
    pub(super) offset: u64,
    pub(super) wide: bool,
}

impl RowIndex {
    pub(super) fn field(&self) -> Field {
        let dtype = if self.wide { ArrowDataType::UInt64 } else { ArrowDataType::UInt32 };
        Field::new(self.name.as_str().into(), dtype, true)
    }

    /// The numbers of `height` rows, of which the first is row `first` of the file.
    pub(super) fn array(&self, first: u64, height: usize) -> Result<Box<dyn Array>> {
        self.of(first, height, 0..height)
    }

    /// The numbers of those of `height` rows that are `set`, where the first of all is row `first` of the file.
    pub(super) fn of_set(&self, first: u64, set: &Bitmap) -> Result<Box<dyn Array>> {
        self.of(first, set.len(), set.true_idx_iter())
    }

    fn of(&self, first: u64, height: usize, rows: impl Iterator<Item = usize>) -> Result<Box<dyn Array>> {
        let start = self.offset.checked_add(first).ok_or_else(too_many_rows)?;
        let stop = start.checked_add(height as u64).ok_or_else(too_many_rows)?;
        if self.wide {
            return Ok(PrimitiveArray::from_vec(rows.map(|row| start + row as u64).collect()).boxed());
        }
        let (Ok(start), Ok(_)) = (u32::try_from(start), u32::try_from(stop)) else { return Err(too_many_rows()) };
        Ok(PrimitiveArray::from_vec(rows.map(|row| start + row as u32).collect()).boxed())
    }
}

#[cold]
fn too_many_rows() -> Error {
    Error::argument("the row index does not fit into its type")
}
