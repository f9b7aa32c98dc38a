//! Batches as record batches of arrow-rs, by Arrow's C stream interface (cargo feature `arrow`).

use arrow_array::RecordBatchReader;
use arrow_array::ffi_stream::RecordBatchStreamReader;
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_arrow::ffi::export_iterator;
use polars_error::PolarsError;

use crate::ffi::arrow::to_arrow_rs;
use crate::{BatchReader, Error, ErrorKind, Result};

impl BatchReader {
    /// Returns the remaining batches as record batches of arrow-rs, which share their buffers.
    ///
    /// ```
    /// use polars_avro::{ContainerFile, OpenOptions, ReadOptions};
    ///
    /// let file = ContainerFile::open("docs/sample.avro", &OpenOptions::default())?;
    /// let batches = file.read(&ReadOptions::default())?.into_record_batches()?;
    /// let rows = batches.map(|batch| batch.map(|batch| batch.num_rows())).sum::<Result<usize, _>>();
    /// assert_eq!(rows.unwrap(), 300);
    /// # Ok::<(), polars_avro::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if arrow-rs lacks the type of a column, such as Polars' integers of 128 bits. An error
    /// of the read is an `ArrowError` of the iterator, and its last item.
    pub fn into_record_batches(self) -> Result<impl RecordBatchReader + Send + use<>> {
        let root = Field::new("".into(), ArrowDataType::Struct(self.fields().to_vec()), false);
        let rows = self.map(|batch| match batch {
            Ok(batch) => Ok(batch.into_struct().boxed()),
            Err(error) => Err(PolarsError::ComputeError(error.to_string().into())),
        });
        let stream = to_arrow_rs(export_iterator(Box::new(rows), root));
        RecordBatchStreamReader::try_new(stream).map_err(|error| Error::new(ErrorKind::Unsupported, error.to_string()))
    }
}
