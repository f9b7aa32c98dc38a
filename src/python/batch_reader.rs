//! One read over files, batch by batch.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};

use super::arrow::{Batch, Batches, Returned, batches_capsule, schema_capsule};
use super::damage::{Report, report};
use super::error::Raised;
use super::interpreter::WithoutGil;
use super::interrupt::{Slow, interruptible};
use super::running::Running;

/// The batches of one read, in file order.
#[pyclass(module = "polars_avro._core", frozen)]
pub(super) struct BatchReader {
    joined: Arc<Mutex<Joined>>,
    /// Reads on the calling thread, so that a signal is handled after the next batch.
    here: bool,
    slow: Slow,
    running: Arc<Running>,
}

/// Joins small batches: a file yields them if its blocks, or the tasks of its threads, are small.
struct Joined {
    reader: polars_avro::BatchReader,
    rows: usize,
    bytes: usize,
    join_next: bool,
    /// Batches to return as one, with their rows and bytes.
    group: Vec<polars_avro::Batch>,
    height: usize,
    weight: usize,
    /// True if the group has the maximum size, or ends before `behind`.
    complete: bool,
    behind: Option<polars_avro::Result<polars_avro::Batch>>,
}

/// Rows for Python, as one batch or several.
#[derive(IntoPyObject)]
pub(super) enum Rows {
    One(Batch),
    Several(Batches),
}

impl BatchReader {
    /// Joins small batches; the first one is only joined if `join_first`.
    pub(super) fn new(
        reader: polars_avro::BatchReader,
        options: &polars_avro::ReadOptions,
        join_first: bool,
        here: bool,
        slow: Slow,
    ) -> Self {
        let running = Running::register(reader.canceller(), slow.clone());
        let joined = Joined {
            reader,
            rows: options.batch_rows,
            bytes: options.batch_bytes,
            join_next: join_first,
            group: Vec::new(),
            height: 0,
            weight: 0,
            complete: false,
            behind: None,
        };
        Self { joined: Arc::new(Mutex::new(joined)), here, slow, running }
    }

    fn lock(&self) -> MutexGuard<'_, Joined> {
        lock(&self.joined)
    }
}

fn lock(joined: &Mutex<Joined>) -> MutexGuard<'_, Joined> {
    // A poisoned lock is used anyway: the panic was raised, and the reader can only end.
    joined.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Joined {
    /// Reads until the next group is complete. If it is stopped, the next call continues.
    fn fill(&mut self, stopped: &dyn Fn() -> bool) {
        while !self.complete && !stopped() {
            let next = self.behind.take().or_else(|| self.reader.next());
            match next {
                Some(Ok(mut batch)) if self.group.is_empty() || self.weight + batch.encoded_bytes() <= self.bytes => {
                    let (room, height) = (self.rows - self.height.min(self.rows), batch.height);
                    // The group would be too large with the whole batch.
                    if !self.group.is_empty() && height > room + self.rows / 4 {
                        let mut rest = batch.clone();
                        rest.slice(room, height - room);
                        batch.slice(0, room);
                        self.behind = Some(Ok(rest));
                    }
                    self.height += batch.height;
                    self.weight += batch.encoded_bytes();
                    self.group.push(batch);
                    self.complete = !self.join_next || self.height >= self.rows || self.weight >= self.bytes;
                }
                next => {
                    self.behind = next;
                    self.complete = true;
                }
            }
        }
    }

    /// Returns the next batch unjoined.
    fn next_alone(&mut self) -> Option<polars_avro::Result<polars_avro::Batch>> {
        self.complete = false;
        if self.group.is_empty() {
            return self.behind.take().or_else(|| self.reader.next());
        }
        let batch = self.group.remove(0);
        (self.height, self.weight) = (self.height - batch.height, self.weight - batch.encoded_bytes());
        Some(Ok(batch))
    }

    /// Puts batches back before those that were not returned yet.
    fn give_back(&mut self, batches: Vec<polars_avro::Batch>) {
        self.height += batches.iter().map(|batch| batch.height).sum::<usize>();
        self.weight += batches.iter().map(polars_avro::Batch::encoded_bytes).sum::<usize>();
        self.group.splice(0..0, batches);
    }

    /// Returns the rows of the group.
    fn take(&mut self) -> polars_avro::Result<Option<Rows>> {
        (self.height, self.weight, self.complete, self.join_next) = (0, 0, false, true);
        let mut group = std::mem::take(&mut self.group);
        if group.len() > 1 {
            return Ok(Some(Rows::Several(Batches::new(self.reader.fields().clone(), group, Vec::new()).kept())));
        }
        match group.pop() {
            Some(batch) => Ok(Some(Rows::One(batch.into()))),
            None => self.behind.take().transpose().map(|batch| batch.map(|batch| Rows::One(batch.into()))),
        }
    }
}

#[pymethods]
impl BatchReader {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    /// Releases the GIL, so that other Python threads run while a batch is decoded. After a signal the next call
    /// continues.
    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Rows>> {
        let joined = self.joined.clone();
        interruptible(py, self.here, &self.slow, move |stopped| lock(&joined).fill(stopped))?;
        // A pending signal would be raised as soon as the rows are returned, and they would be lost.
        py.check_signals()?;
        let rows = self.lock().take().map_err(Raised::from)?;
        if rows.is_none() {
            self.running.check()?;
        }
        Ok(rows)
    }

    /// Returns the blocks dropped before the last batch, or before the end; each report is returned once.
    fn take_bad_blocks(&self, py: Python<'_>) -> Vec<Report> {
        py.without_gil(|| self.lock().reader.take_bad_blocks().iter().map(report).collect())
    }

    /// Takes back the rows returned last; the next call returns them again.
    fn give_back(&self, py: Python<'_>, rows: Returned<'_>) {
        let batches = rows.batches();
        drop(rows);
        py.without_gil(|| self.lock().give_back(batches));
    }

    /// Exports the remaining batches as an Arrow stream. Both the stream and this reader may take batches.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface allows a producer to keep its own types.
        drop(requested_schema);
        let fields = py.without_gil(|| self.lock().reader.fields().to_vec());
        let joined = self.joined.clone();
        batches_capsule(py, &fields, move || lock(&joined).next_alone())
    }

    /// Exports the columns of the batches, for `polars.Schema`.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let fields = py.without_gil(|| self.lock().reader.fields().to_vec());
        schema_capsule(py, &fields)
    }

    /// Returns counters of the work done so far.
    #[getter]
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = py.without_gil(|| self.lock().reader.stats());
        let counts = PyDict::new(py);
        counts.set_item("blocks_read", stats.blocks_read)?;
        counts.set_item("blocks_skipped", stats.blocks_skipped)?;
        counts.set_item("blocks_decompressed", stats.blocks_decompressed)?;
        counts.set_item("bytes_decoded", stats.bytes_decoded)?;
        counts.set_item("rows_decoded", stats.rows_decoded)?;
        counts.set_item("rows_evaluated", stats.rows_evaluated)?;
        counts.set_item("rows_filtered_out", stats.rows_filtered_out)?;
        counts.set_item("bytes_read", stats.bytes_read)?;
        counts.set_item("files_opened", stats.files_opened)?;
        counts.set_item("max_open_files", stats.max_open_files)?;
        counts.set_item("plans_compiled", stats.plans_compiled)?;
        counts.set_item("lock_wait_ns", stats.times.lock_wait_ns)?;
        counts.set_item("locked_ns", stats.times.locked_ns)?;
        counts.set_item("fetch_ns", stats.times.fetch_ns)?;
        counts.set_item("decompress_ns", stats.times.decompress_ns)?;
        counts.set_item("decode_ns", stats.times.decode_ns)?;
        counts.set_item("filter_ns", stats.times.filter_ns)?;
        Ok(counts)
    }
}
