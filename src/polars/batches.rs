//! Iteration over the frames of a read.

use std::fmt;
use std::sync::Arc;

use polars::prelude::{DataFrame, PolarsResult, SchemaRef, polars_bail};
use polars_arrow::datatypes::Field;
use polars_error::polars_warn;

use super::frame::{concatenate, schema_of};
use super::predicate::Predicate;
use super::pump::Pump;
use crate::{BadBlock, Batch, BatchReader, Result};

/// The frames of one read, see [`AvroReader::batched`](crate::AvroReader::batched).
///
/// ```
/// # fn main() -> polars::prelude::PolarsResult<()> {
/// let mut rows = 0;
/// for frame in polars_avro::AvroReader::new("docs/sample.avro").with_batch_size(100).batched()? {
///     rows += frame?.height();
/// }
/// assert_eq!(rows, 300);
/// # Ok(())
/// # }
/// ```
pub struct AvroBatches {
    batches: Batches,
    fields: Arc<[Field]>,
    predicate: Option<Predicate>,
    /// The columns to keep, if others are read for the predicate.
    keep: Option<Vec<String>>,
}

enum Batches {
    Direct(BatchReader),
    Filtered(Pump),
}

impl AvroBatches {
    /// Returns the batches of a read unfiltered; `predicate` is applied to each frame.
    pub(super) fn direct(reader: BatchReader, predicate: Option<Predicate>, keep: Option<Vec<String>>) -> Self {
        Self { fields: reader.fields().clone(), batches: Batches::Direct(reader), predicate, keep }
    }

    /// Returns the batches of a read whose filter has already dropped most rows that do not pass.
    pub(super) fn filtered(pump: Pump, keep: Option<Vec<String>>) -> Self {
        let predicate = Some(pump.predicate.clone());
        Self { fields: pump.fields.clone(), batches: Batches::Filtered(pump), predicate, keep }
    }

    /// Returns the schema of every frame.
    ///
    /// # Errors
    /// If Polars is built without one of the dtypes.
    pub fn schema(&self) -> PolarsResult<SchemaRef> {
        Ok(self.keep(DataFrame::empty_with_schema(&*schema_of(&self.fields)?))?.schema().clone())
    }

    /// Returns the blocks that were dropped, or that have bytes after their rows, since the last call.
    pub fn take_bad_blocks(&mut self) -> Vec<BadBlock> {
        match &mut self.batches {
            Batches::Direct(reader) => reader.take_bad_blocks(),
            Batches::Filtered(pump) => std::mem::take(&mut pump.bad_blocks),
        }
    }

    /// Warns about blocks that have bytes after their rows, for a caller that cannot take the reports.
    fn warn(&mut self) {
        let irregular: Vec<_> = self.take_bad_blocks().into_iter().filter(|bad| !bad.is_dropped).collect();
        if let Some(first) = irregular.first() {
            polars_warn!("all rows of {} irregular blocks were read; the first: {}", irregular.len(), first.error);
        }
    }

    /// Fails if frames cannot be filtered one by one.
    pub(super) fn check_row_wise(self) -> PolarsResult<Self> {
        if !self.is_row_wise() {
            polars_bail!(InvalidOperation: "the predicate of a batched read must judge each row by itself: use `finish`");
        }
        Ok(self)
    }

    /// Reads the remaining rows as one frame.
    pub(super) fn collect_frame(mut self) -> PolarsResult<DataFrame> {
        let empty = DataFrame::empty_with_schema(&*schema_of(&self.fields)?);
        if self.is_row_wise() {
            let none = self.pass(empty)?;
            let frame = concatenate(&mut self)?;
            self.warn();
            return Ok(frame.unwrap_or(none));
        }
        let all = concatenate(std::iter::from_fn(|| self.next_unfiltered()))?;
        self.warn();
        self.pass(all.unwrap_or(empty))
    }

    fn is_row_wise(&self) -> bool {
        self.predicate.as_ref().is_none_or(|predicate| predicate.is_row_wise)
    }

    fn next_batch(&mut self) -> Option<Result<Batch>> {
        match &mut self.batches {
            Batches::Direct(reader) => reader.next(),
            Batches::Filtered(pump) => pump.next(),
        }
    }

    fn next_unfiltered(&mut self) -> Option<PolarsResult<DataFrame>> {
        self.next_batch().map(|batch| DataFrame::try_from(batch?))
    }

    /// Returns the rows that pass, with the columns to keep.
    fn pass(&self, frame: DataFrame) -> PolarsResult<DataFrame> {
        self.keep(match &self.predicate {
            Some(predicate) => predicate.filter(frame)?,
            None => frame,
        })
    }

    fn keep(&self, frame: DataFrame) -> PolarsResult<DataFrame> {
        match &self.keep {
            Some(columns) => frame.select(columns.iter().map(String::as_str)),
            None => Ok(frame),
        }
    }
}

impl Iterator for AvroBatches {
    type Item = PolarsResult<DataFrame>;

    fn next(&mut self) -> Option<PolarsResult<DataFrame>> {
        let frame = self.next_unfiltered()?;
        Some(frame.and_then(|frame| self.pass(frame)))
    }
}

impl fmt::Debug for AvroBatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fields, predicate) = (&self.fields, &self.predicate);
        f.debug_struct("AvroBatches").field("fields", fields).field("predicate", predicate).finish_non_exhaustive()
    }
}
