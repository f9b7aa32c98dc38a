//! The columns of a read that no file has: the row index, and the number of each row's file.

use std::sync::Arc;

use polars_arrow::array::{Array, PrimitiveArray};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::{ArrowDataType, Field};

use super::Batch;
use crate::{Error, Result};

/// The columns of a read that are not in its files.
#[derive(Clone, Debug, Default)]
pub(crate) struct VirtualColumns {
    /// The row index, which precedes the columns of the files.
    pub(crate) row_index: Option<RowIndex>,
    /// The name of the column of file numbers, which follows the columns of the files.
    pub(crate) file_index: Option<String>,
}

impl VirtualColumns {
    /// Returns the names and types of all columns: those of the files and the virtual ones.
    pub(crate) fn fields(&self, fields: &[Field]) -> Arc<[Field]> {
        let in_front = self.row_index.iter().map(RowIndex::field);
        let number = |name: &String| Field::new(name.as_str().into(), ArrowDataType::UInt32, true);
        in_front.chain(fields.iter().cloned()).chain(self.file_index.iter().map(number)).collect()
    }

    /// Adds the row index and the file number of each row to a batch. `files` has pairs of a file number and a row count.
    pub(crate) fn add_to(&self, batch: Batch, index: Option<Box<dyn Array>>, files: &[(usize, usize)]) -> Batch {
        if index.is_none() && self.file_index.is_none() {
            return batch;
        }
        let Batch { fields, mut arrays, height, bytes } = batch;
        if let Some(index) = index {
            arrays.insert(0, index);
        }
        if self.file_index.is_some() {
            let mut numbers = Vec::with_capacity(height);
            for &(file, rows) in files {
                numbers.resize(numbers.len() + rows, file as u32);
            }
            arrays.push(PrimitiveArray::from_vec(numbers).boxed());
        }
        Batch { fields: self.fields(&fields), arrays, height, bytes }
    }
}

/// The row index of a read: its name, the number of row 0, and its width.
#[derive(Clone, Debug)]
pub(crate) struct RowIndex {
    pub(crate) name: String,
    pub(crate) offset: u64,
    pub(crate) wide: bool,
}

impl RowIndex {
    pub(crate) fn field(&self) -> Field {
        let dtype = if self.wide { ArrowDataType::UInt64 } else { ArrowDataType::UInt32 };
        Field::new(self.name.as_str().into(), dtype, true)
    }

    /// Returns the numbers of `height` rows, the first of which is row `first` of the read.
    pub(crate) fn array(&self, first: u64, height: usize) -> Result<Box<dyn Array>> {
        self.of(first, height, 0..height)
    }

    /// Returns the numbers of the rows that are set in `set`, whose first bit is row `first` of the read.
    pub(crate) fn of_set(&self, first: u64, set: &Bitmap) -> Result<Box<dyn Array>> {
        self.of(first, set.len(), set.true_idx_iter())
    }

    fn of(&self, first: u64, height: usize, rows: impl Iterator<Item = usize>) -> Result<Box<dyn Array>> {
        let too_many_rows = || too_many_rows(self.wide);
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
fn too_many_rows(wide: bool) -> Error {
    let most = if wide { u64::MAX } else { u64::from(u32::MAX) };
    Error::argument(format!(
        "the row index passes {most}, the most that its type holds; lower the offset of the row index or the number of rows"
    ))
}
