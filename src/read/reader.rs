//! An iterator of batches in file order, decoded on several threads.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use polars_arrow::datatypes::Field;

use super::Canceller;
use super::batches::{Batch, RecoveredRows, Reports, TaskOutput};
use super::blocks::FirstBlock;
use super::decoding::Decoding;
use super::files::BadBlock;
use super::stats::Stats;
use crate::executor::OrderedTasks;
use crate::{Error, ReadAhead, Result};

/// An iterator over the batches of one read.
///
/// ```
/// use polars_avro::{ContainerFile, OpenOptions, ReadOptions};
///
/// let file = ContainerFile::open("docs/sample.avro", &OpenOptions::default())?;
/// let mut reader = file.read(&ReadOptions::default())?;
/// let mut rows = 0;
/// for batch in &mut reader {
///     rows += batch?.height;
/// }
/// assert_eq!(rows as u64, reader.stats().rows_decoded);
/// # Ok::<(), polars_avro::Error>(())
/// ```
pub struct BatchReader {
    tasks: OrderedTasks<Decoding>,
    fields: Arc<[Field]>,
    /// Results of tasks that were taken and not returned yet.
    ready: VecDeque<TaskOutput>,
    /// Numbers the rows if damaged blocks may be dropped.
    recovered: Option<RecoveredRows>,
    reports: Reports,
    /// Renumbers blocks from the file's first if the read begins at another one.
    first_block: Option<FirstBlock>,
    /// Announces to the sources that all remaining bytes will be read.
    ahead: Vec<ReadAhead>,
}

impl BatchReader {
    pub(super) fn new(
        tasks: OrderedTasks<Decoding>,
        fields: Arc<[Field]>,
        recovered: Option<RecoveredRows>,
        reports: Reports,
        first_block: Option<FirstBlock>,
        ahead: Vec<ReadAhead>,
    ) -> Self {
        Self { tasks, fields, ready: VecDeque::new(), recovered, reports, first_block, ahead }
    }

    /// Returns the columns of the batches, in order.
    #[must_use]
    pub fn fields(&self) -> &Arc<[Field]> {
        &self.fields
    }

    /// Returns the counters of the work so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.tasks.workload().list.counters.stats()
    }

    /// Returns a handle that cancels this read while another thread waits for its next batch.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        Canceller { cancelled: self.tasks.cancelled().clone() }
    }

    /// Returns the blocks that were dropped, or that do not end with their rows, up to the end of the last batch. Each is
    /// returned once.
    pub fn take_bad_blocks(&mut self) -> Vec<BadBlock> {
        self.reports.take()
    }

    fn is_cancelled(&self) -> bool {
        self.tasks.cancelled().load(Ordering::Relaxed)
    }

    fn next_batch(&mut self) -> Result<Option<Batch>> {
        loop {
            if self.is_cancelled() || self.recovered.as_ref().is_some_and(RecoveredRows::is_done) {
                return Ok(None);
            }
            if let Some(item) = self.ready.pop_front() {
                match self.batch(item)? {
                    Some(batch) => return Ok(Some(batch)),
                    None => continue,
                }
            }
            match self.tasks.next() {
                // A cancelled task returns an error, which the caller must not see.
                Some(_) if self.is_cancelled() => return Ok(None),
                Some(items) => {
                    let items = items.map_err(|error| self.renumber(error))?;
                    self.ready.extend(items);
                }
                None => return Ok(None),
            }
        }
    }

    /// Returns the batch for this output, if there is one; reports bad blocks.
    fn batch(&mut self, item: TaskOutput) -> Result<Option<Batch>> {
        match item {
            TaskOutput::Batch(batch) => match &mut self.recovered {
                Some(recovered) => recovered.number(batch),
                None => Ok(Some(batch)),
            },
            TaskOutput::Failed(error) => Err(self.renumber(error)),
            TaskOutput::BadBlock(bad) => {
                let bad = BadBlock { error: self.renumber(bad.error), ..bad };
                if bad.is_dropped && self.recovered.is_none() {
                    return Err(bad.error);
                }
                self.reports.add(bad).map(|()| None)
            }
        }
    }

    fn renumber(&mut self, error: Error) -> Error {
        match &mut self.first_block {
            Some(first) => first.renumber(error),
            None => error,
        }
    }
}

impl Iterator for BatchReader {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.next_batch().transpose();
        if !matches!(batch, Some(Ok(_))) {
            // No result follows an error.
            self.tasks.cancel();
            self.ahead.clear();
        }
        batch
    }
}

impl fmt::Debug for BatchReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fields, stats) = (&self.fields, self.stats());
        f.debug_struct("BatchReader").field("fields", fields).field("stats", &stats).finish_non_exhaustive()
    }
}
