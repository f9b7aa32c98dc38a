//! Which rows are wanted, by their values.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use polars_arrow::bitmap::Bitmap;

use super::{Batch, RowIndex};
use crate::decode::Record;
use crate::plan::FilterPlan;
use crate::{Error, ErrorKind, Result};

/// A hint which rows of a read are needed, by the values of some columns.
///
/// **Filter again what comes out.** The filter's columns are decoded first, and the others only for rows that pass. If
/// most rows pass, the filter is asked less often, and rows that fail come out too. A read with
/// [`ignore_errors`](crate::ReadOptions::ignore_errors) never asks: rows that are not decoded cannot be known to be sound.
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
    /// The columns that it looks at; one may be the row index of the read.
    fn columns(&self) -> &[String];

    /// Whether each row of a batch of these columns passes, the row index in front. Called on several threads at once.
    ///
    /// # Errors
    /// What the caller wants the read to end with; [`ErrorKind::Callback`] is for that.
    fn evaluate(&self, batch: Batch) -> Result<Bitmap>;
}

/// After rows most of which passed, one task of so many is tested and the others are decoded whole.
const PROBE_INTERVAL: u32 = 16;

/// The filter of one read.
pub(crate) struct Filter {
    caller: Arc<dyn RowFilter>,
    /// The columns of files that it looks at.
    columns: Vec<String>,
    /// Whether it looks at the row index too.
    indexed: bool,
    /// Tasks until one is tested again; 0 where all are.
    rest: AtomicU32,
    /// Whether it is known that it drops most rows.
    is_selective: AtomicBool,
}

impl Filter {
    /// `row_index` is the name of the row index, if there is one.
    pub(crate) fn new(caller: Arc<dyn RowFilter>, row_index: Option<&str>) -> Self {
        let is_index = |name: &String| row_index == Some(name);
        let (index, columns): (Vec<_>, Vec<_>) = caller.columns().iter().cloned().partition(is_index);
        Self {
            caller,
            columns,
            indexed: !index.is_empty(),
            rest: AtomicU32::new(0),
            is_selective: AtomicBool::new(false),
        }
    }

    /// The columns of files that it looks at.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether the next task is to be tested.
    pub(crate) fn should_probe(&self) -> bool {
        // Whoever is to test starts the next round: the other threads do not wait for what it finds.
        let next = |rest| match rest {
            0 => None,
            1 => Some(PROBE_INTERVAL),
            _ => Some(rest - 1),
        };
        matches!(self.rest.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next), Err(_) | Ok(1))
    }

    /// Whether it is known that testing spares more than it costs.
    pub(crate) fn is_selective(&self) -> bool {
        self.is_selective.load(Ordering::Relaxed)
    }

    /// Which of the rows in `record`, of which the first is row `first` of the read, pass; leaves it empty.
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
            let message = format!("a filter told of {} rows where there are {height}", passed.len());
            return Err(Error::new(ErrorKind::Internal, message));
        }
        let is_selective = passed.set_bits() <= height / 2;
        self.is_selective.store(is_selective, Ordering::Relaxed);
        if is_selective {
            self.rest.store(0, Ordering::Relaxed);
        } else {
            // Tasks that were tested side by side begin one round, not several.
            let _ = self.rest.compare_exchange(0, PROBE_INTERVAL, Ordering::Relaxed, Ordering::Relaxed);
        }
        Ok(passed)
    }
}
