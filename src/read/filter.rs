//! Which rows are wanted, by their values.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use polars_arrow::bitmap::Bitmap;

use super::batch::{Batch, RowIndex};
use crate::decode::Record;
use crate::plan::{Plan, Projection, Schemas};
use crate::{Error, ErrorKind, Limits, Result};

/// Tells which rows of a read its caller needs, by the values of some columns.
///
/// It is a hint, for a caller that filters what comes out: the columns it looks at are decoded first and the others of the
/// rows that pass only, but where most rows pass, asking costs more than it spares, and every row comes out.
pub trait RowFilter: fmt::Debug + Send + Sync {
    /// The columns that it looks at; one may be the row index of the read.
    fn columns(&self) -> &[String];

    /// Whether each row of a batch of these columns passes, the row index in front. Called on several threads at once.
    ///
    /// # Errors
    /// What the caller wants the read to end with; [`ErrorKind::Callback`] is for that.
    fn evaluate(&self, batch: Batch) -> Result<Bitmap>;
}

/// Tasks that are decoded whole after one most of whose rows passed.
const REST: u32 = 15;

/// The filter of one read.
pub(super) struct Filter {
    caller: Arc<dyn RowFilter>,
    /// The columns that it looks at.
    pub(super) tested: Plan,
    /// Whether it looks at the row index too.
    indexed: bool,
    /// Every wanted column, for records that are decoded one by one.
    pub(super) wanted: Record,
    /// Tasks to decode whole before one is tested again.
    rest: AtomicU32,
}

impl Filter {
    /// The filter of a read of `plan`; `None` where it looks at all that is wanted, so that it can spare nothing.
    pub(super) fn new(
        caller: &Arc<dyn RowFilter>,
        schemas: &Schemas,
        limits: &Limits,
        plan: &Plan,
        row_index: Option<&RowIndex>,
    ) -> Result<Option<Self>> {
        let is_index = |name: &String| row_index.is_some_and(|index| index.name == *name);
        let (index, columns): (Vec<_>, Vec<_>) = caller.columns().iter().cloned().partition(is_index);
        let tested = Plan::compile(schemas, &Projection::columns(Some(&columns)), limits)?;
        if plan.fields.iter().all(|field| tested.fields.iter().any(|other| other.name == field.name)) {
            return Ok(None);
        }
        let (caller, wanted) = (caller.clone(), plan.record.clone().without_rest());
        Ok(Some(Self { caller, tested, indexed: !index.is_empty(), wanted, rest: AtomicU32::new(0) }))
    }

    /// Whether the next task is to be tested.
    pub(super) fn is_due(&self) -> bool {
        self.rest.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |rest| rest.checked_sub(1)).is_err()
    }

    /// Which of the rows in `record`, of which the first is row `first` of the file, pass; leaves it empty.
    pub(super) fn test(&self, record: &mut Record, first: u64, row_index: Option<&RowIndex>) -> Result<Bitmap> {
        let (arrays, height) = record.finish_fields();
        let mut batch = Batch { fields: self.tested.fields.clone(), arrays, height };
        if self.indexed
            && let Some(index) = row_index
        {
            batch.insert_first(index.field(), index.array(first, height)?);
        }
        let passed = self.caller.evaluate(batch)?;
        if passed.len() != height {
            let message = format!("a filter told of {} rows where there are {height}", passed.len());
            return Err(Error::new(ErrorKind::Internal, message));
        }
        if passed.set_bits() > height / 2 {
            self.rest.store(REST, Ordering::Relaxed);
        }
        Ok(passed)
    }
}
