//! Conversion of batches to frames and back.

use polars::prelude::{Column, CompatLevel, DataFrame, PolarsError, PolarsResult, Schema, SchemaRef, Series};
use polars_arrow::array::{Array, StructArray, new_empty_array};
use polars_arrow::datatypes::{ArrowDataType, Field};

use crate::Batch;

/// Returns a column of a frame that shares the array's memory.
fn column(field: &Field, array: Box<dyn Array>) -> PolarsResult<Column> {
    Ok(Series::try_from((field, array))?.into())
}

/// Converts a batch to a frame that shares its memory.
impl TryFrom<Batch> for DataFrame {
    type Error = PolarsError;

    fn try_from(batch: Batch) -> PolarsResult<Self> {
        let columns = batch.fields.iter().zip(batch.arrays).map(|(field, array)| column(field, array));
        Self::new(batch.height, columns.collect::<PolarsResult<_>>()?)
    }
}

/// Returns the schema of the frames that batches of these fields become.
pub(super) fn schema_of(fields: &[Field]) -> PolarsResult<SchemaRef> {
    let dtype = |field: &Field| {
        let empty = column(field, new_empty_array(field.dtype().clone()))?;
        Ok((field.name.clone(), empty.dtype().clone()))
    };
    Ok(fields.iter().map(dtype).collect::<PolarsResult<Schema>>()?.into())
}

/// Returns the fields of the batches that frames of this schema become.
pub(super) fn fields_of(schema: &Schema) -> Vec<Field> {
    let newest = CompatLevel::newest();
    schema.iter().map(|(name, dtype)| dtype.to_arrow_field(name.clone(), newest)).collect()
}

/// Returns the rows of a frame, chunk by chunk.
pub(super) fn batches_of(frame: &DataFrame, fields: &[Field]) -> Vec<StructArray> {
    let mut frame = frame.clone();
    frame.align_chunks_par();
    let dtype = ArrowDataType::Struct(fields.to_vec());
    let batch = |rows: polars_arrow::record_batch::RecordBatch| {
        let height = rows.len();
        StructArray::new(dtype.clone(), height, rows.into_arrays(), None)
    };
    frame.iter_chunks(CompatLevel::newest(), false).map(batch).collect()
}

/// Concatenates frames of one schema vertically.
pub(super) fn concatenate(frames: impl Iterator<Item = PolarsResult<DataFrame>>) -> PolarsResult<Option<DataFrame>> {
    let mut all: Option<DataFrame> = None;
    for frame in frames {
        let frame = frame?;
        match &mut all {
            Some(all) => {
                all.vstack_mut_owned(frame)?;
            }
            None => all = Some(frame),
        }
    }
    Ok(all)
}
