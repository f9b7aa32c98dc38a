//! Filters rows by the values of some columns while they are decoded.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use polars_arrow::bitmap::Bitmap;

use super::{Batch, RowIndex};
use crate::decode::Record;
use crate::plan::FilterPlan;
use crate::{Error, ErrorKind, Result};

/// A hint about the rows that a read needs, computed from the values of some columns.
///
/// **Filter the returned rows again.** The filter's columns are decoded first, and the others only for rows that pass. If
/// most rows pass, the filter is evaluated for fewer tasks, and the read also returns rows that do not pass. A read with
/// [`ignore_errors`](crate::ReadOptions::ignore_errors) never evaluates the filter, because damage is found only by
/// decoding every row.
///
/// ```
/// use std::sync::Arc;
///
/// use polars_avro::arrow::{Bitmap, PrimitiveArray};
/// use polars_avro::{Batch, ContainerFile, OpenOptions, ReadOptions, Result, RowFilter};
///
/// #[derive(Debug)]
/// struct Warm([String; 1]);
///
/// impl RowFilter for Warm {
///     fn columns(&self) -> &[String] {
///         &self.0
///     }
///
///     fn evaluate(&self, batch: Batch) -> Result<Bitmap> {
///         let celsius = batch.arrays[0].as_any().downcast_ref::<PrimitiveArray<f64>>().unwrap();
///         Ok(celsius.iter().map(|celsius| celsius.is_some_and(|celsius| *celsius > 25.0)).collect())
///     }
/// }
///
/// let file = ContainerFile::open("docs/sample.avro", &OpenOptions::default())?;
/// let options = ReadOptions::default().with_filter(Arc::new(Warm(["celsius".to_owned()])));
/// let mut rows = 0;
/// for batch in file.read(&options)? {
///     // Filter again: rows that do not pass may come out too.
///     rows += batch?.height;
/// }
/// assert!((30..=300).contains(&rows));
/// # Ok::<(), polars_avro::Error>(())
/// ```
pub trait RowFilter: fmt::Debug + Send + Sync {
    /// Returns the names of the columns that the filter reads; one may be the row index of the read.
    fn columns(&self) -> &[String];

    /// Returns one bit per row of the batch, set if the row passes. The batch has the columns that [`RowFilter::columns`]
    /// names, the row index first. Called from several threads at once.
    ///
    /// # Errors
    /// If the filter fails, which ends the read with this error; [`ErrorKind::Callback`] is meant for it. A bitmap of another
    /// length than the batch is such an error too.
    fn evaluate(&self, batch: Batch) -> Result<Bitmap>;
}

/// If most tested rows passed, one task in this many is tested and the others are decoded without the filter.
const PROBE_INTERVAL: u32 = 16;

/// The filter of one read.
pub(crate) struct Filter {
    caller: Arc<dyn RowFilter>,
    /// The columns of the files that the filter reads.
    columns: Vec<String>,
    /// True if the filter reads the row index too.
    indexed: bool,
    /// The number of tasks until one is tested again; 0 if every task is tested.
    rest: AtomicU32,
    /// True if the last test dropped at least half of its rows.
    is_selective: AtomicBool,
}

impl Filter {
    /// Creates the filter; `row_index` is the name of the row index, if there is one.
    pub(crate) fn new(caller: Arc<dyn RowFilter>, row_index: Option<&str>) -> Self {
        let is_index = |name: &String| row_index == Some(name);
        let (index, columns): (Vec<_>, Vec<_>) = caller.columns().iter().cloned().partition(is_index);
        let (rest, is_selective) = <_>::default();
        Self { caller, columns, indexed: !index.is_empty(), rest, is_selective }
    }

    /// Returns the columns of the files that the filter reads.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Returns true if the next task must be tested.
    pub(crate) fn should_probe(&self) -> bool {
        // The thread that tests starts the next round at once, so the other threads need not wait for its result.
        let next = |rest| match rest {
            0 => None,
            1 => Some(PROBE_INTERVAL),
            _ => Some(rest - 1),
        };
        matches!(self.rest.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next), Err(_) | Ok(1))
    }

    /// Returns true if the last test dropped at least half of its rows: testing then saves more than it costs.
    pub(crate) fn is_selective(&self) -> bool {
        self.is_selective.load(Ordering::Relaxed)
    }

    /// Evaluates the filter on the rows in `record`, the first of which is row `first` of the read. Empties `record`.
    pub(crate) fn test(
        &self,
        tested: &FilterPlan,
        record: &mut Record,
        first: u64,
        row_index: Option<&RowIndex>,
    ) -> Result<Bitmap> {
        let (arrays, height) = record.finish_fields();
        let mut batch = Batch { fields: tested.fields.clone(), arrays, height, bytes: 0 };
        if self.indexed
            && let Some(index) = row_index
        {
            batch.insert_first(index.field(), index.array(first, height)?);
        }
        let passed = self.caller.evaluate(batch)?;
        if passed.len() != height {
            let message = format!("the filter returned {} bits for {height} rows", passed.len());
            return Err(Error::new(ErrorKind::Callback, message));
        }
        let is_selective = passed.set_bits() <= height / 2;
        self.is_selective.store(is_selective, Ordering::Relaxed);
        self.rest.store(if is_selective { 0 } else { PROBE_INTERVAL }, Ordering::Relaxed);
        Ok(passed)
    }
}
