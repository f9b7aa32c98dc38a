//! The results of a read: batches of rows, and reports on bad blocks.

use std::sync::Arc;

use polars_arrow::array::{Array, StructArray};
use polars_arrow::datatypes::{ArrowDataType, Field};

use crate::Error;
use crate::read::files::BadBlock;

/// Some rows of a file, as Arrow arrays in Polars' layout.
///
/// ```
/// use polars_avro::{ContainerFile, OpenOptions, ReadOptions};
///
/// let file = ContainerFile::open("docs/sample.avro", &OpenOptions::default())?;
/// let batch = file.read(&ReadOptions::default())?.next().unwrap()?;
/// assert_eq!(batch.arrays.len(), batch.fields.len());
/// let rows = batch.into_struct();
/// assert_eq!(rows.fields()[4].name, "gusts");
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batch {
    /// Names and types, one for each array.
    pub fields: Arc<[Field]>,
    /// The columns, in the order of `fields`.
    pub arrays: Vec<Box<dyn Array>>,
    /// The number of rows, also if there are no columns.
    pub height: usize,
    /// The number of block bytes that were decoded into this batch.
    pub(crate) bytes: usize,
}

impl Batch {
    /// Creates a batch that was not read from a file.
    #[must_use]
    pub fn new(fields: Arc<[Field]>, arrays: Vec<Box<dyn Array>>, height: usize) -> Self {
        Self { fields, arrays, height, bytes: 0 }
    }

    /// Returns the number of block bytes, uncompressed, that were decoded into this batch.
    #[must_use]
    pub fn encoded_bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps `height` rows, starting at row `start`, as far as the batch has them.
    pub fn slice(&mut self, start: usize, height: usize) {
        let start = start.min(self.height);
        let height = height.min(self.height - start);
        if height < self.height {
            self.arrays.iter_mut().for_each(|array| array.slice(start, height));
            self.bytes = (self.bytes as u128 * height as u128 / self.height as u128) as usize;
            self.height = height;
        }
    }

    pub(crate) fn insert_first(&mut self, field: Field, array: Box<dyn Array>) {
        self.fields = std::iter::once(field).chain(self.fields.iter().cloned()).collect();
        self.arrays.insert(0, array);
    }

    /// Returns the batch as one array of structs.
    #[must_use]
    pub fn into_struct(self) -> StructArray {
        StructArray::new(ArrowDataType::Struct(self.fields.to_vec()), self.height, self.arrays, None)
    }
}

/// One result of decoding a task.
pub(crate) enum TaskOutput {
    Batch(Batch),
    /// A report on a block that was dropped, or that was read whole although its end is malformed.
    BadBlock(BadBlock),
    /// An error that ends the read.
    Failed(Error),
}
