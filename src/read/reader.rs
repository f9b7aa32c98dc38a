//! Batches in file order, decoded by as many threads as there are.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use polars_arrow::datatypes::Field;

use super::batches::{self, Batch, Decoder, Filter, RecoveredRows, Scratch, TaskOutput, VirtualColumns};
use super::blocks::FirstBlock;
use super::files::BadBlock;
use super::settings::ReadSettings;
use super::stats::{Counters, Stats, add_time};
use super::tasks::{FileQueue, Part, PartRequest, Queued, Stretch, Tasks, WorkItem};
use crate::executor::{Claimed, OrderedTasks, TaskTimes, Workload};
use crate::{Error, ErrorKind, ReadAhead, Result};

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
    /// Results of tasks that were taken.
    ready: VecDeque<TaskOutput>,
    /// Counts rows where blocks may be missing.
    recovered: Option<RecoveredRows>,
    /// Numbers blocks from the file's first where the read begins at another one.
    first_block: Option<FirstBlock>,
    finished: bool,
    /// Promises to the sources that all of the rest is read.
    ahead: Vec<ReadAhead>,
    /// Where the stretches end that have come, and how to go on without stretches.
    joint: Option<u64>,
    restart: Option<Restart>,
}

/// Tasks that have been started.
pub(super) struct Started {
    pub(super) tasks: OrderedTasks<Decoding>,
    pub(super) first_block: Option<FirstBlock>,
}

/// Starts the tasks of what is left of a file from a block on.
pub(super) type Restart = Box<dyn FnOnce(u64) -> Started + Send + Sync>;

/// What every task of one read shares.
pub(super) struct Decoding {
    settings: ReadSettings,
    virtual_columns: VirtualColumns,
    filter: Option<Filter>,
    counters: Arc<Counters>,
    scratch: Mutex<Vec<Scratch>>,
    /// Stretches that have begun end early.
    stopped: AtomicBool,
}

impl BatchReader {
    pub(super) fn new(
        Started { tasks, first_block }: Started,
        fields: Arc<[Field]>,
        recovered: Option<RecoveredRows>,
        ahead: Vec<ReadAhead>,
        restart: Option<Restart>,
    ) -> Self {
        let (ready, finished, joint) = <_>::default();
        Self { tasks, fields, ready, recovered, first_block, finished, ahead, joint, restart }
    }

    /// The columns that come out, in order.
    #[must_use]
    pub fn fields(&self) -> &Arc<[Field]> {
        &self.fields
    }

    /// What has been done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.tasks.workload().counters.stats(&self.tasks.times())
    }

    /// The times of every task, in file order, if [`ReadOptions::simulated_threads`](crate::ReadOptions) is set.
    #[doc(hidden)]
    #[must_use]
    pub fn task_times(&self) -> Vec<TaskTimes> {
        self.tasks.kept_times()
    }

    /// The blocks left out before the last batch that came, or before the end, but for those given before.
    pub fn take_bad_blocks(&mut self) -> Vec<BadBlock> {
        self.recovered.as_mut().map(|recovered| std::mem::take(&mut recovered.lost)).unwrap_or_default()
    }

    /// How many rows come.
    pub(super) fn height(self) -> Result<u64> {
        let mut rows = 0;
        for batch in self {
            rows += batch?.height as u64;
        }
        Ok(rows)
    }

    fn next_batch(&mut self) -> Result<Option<Batch>> {
        loop {
            if self.recovered.as_ref().is_some_and(RecoveredRows::is_done) {
                return Ok(None);
            }
            if let Some(item) = self.ready.pop_front() {
                match self.batch(item)? {
                    Some(batch) => return Ok(Some(batch)),
                    None => continue,
                }
            }
            match self.tasks.next() {
                Some(items) => {
                    let items = items.map_err(|error| self.renumber(error))?;
                    self.ready.extend(items);
                }
                None => return Ok(None),
            }
        }
    }

    /// The batch that comes out for this one, if any.
    fn batch(&mut self, item: TaskOutput) -> Result<Option<Batch>> {
        match item {
            TaskOutput::Batch(batch) => match &mut self.recovered {
                Some(recovered) => recovered.number(batch),
                None => Ok(Some(batch)),
            },
            TaskOutput::Stretch(blocks) => {
                match self.joint {
                    Some(end) if end != blocks.start => self.read_in_turn(None)?,
                    _ => self.joint = Some(blocks.end),
                }
                Ok(None)
            }
            TaskOutput::Unread(start) => self.read_in_turn(start).map(|()| None),
            TaskOutput::BadBlock(bad) => {
                let bad = BadBlock { error: self.renumber(bad.error), ..bad };
                match &mut self.recovered {
                    Some(recovered) => recovered.lose(bad).map(|()| None),
                    None => Err(bad.error),
                }
            }
        }
    }

    /// Goes on without stretches, behind the last one that came, or where the first one begins.
    fn read_in_turn(&mut self, first: Option<u64>) -> Result<()> {
        self.tasks.cancel();
        self.ready.clear();
        let (Some(restart), Some(offset)) = (self.restart.take(), self.joint.or(first)) else {
            return Err(Error::new(ErrorKind::Internal, "a stretch that cannot be read again"));
        };
        let started = restart(offset);
        started.tasks.add_times(self.tasks.times());
        (self.tasks, self.first_block) = (started.tasks, started.first_block);
        Ok(())
    }

    fn renumber(&mut self, error: Error) -> Error {
        match &mut self.first_block {
            Some(first) => first.renumber(error),
            None => error,
        }
    }
}

impl Workload for Decoding {
    type Input = FileQueue;
    type Share = Queued<PartRequest>;
    type Fetched = Queued<Part>;
    type Task = WorkItem;
    type Output = Vec<TaskOutput>;

    fn reserve(&self, queue: &mut FileQueue) -> Option<Self::Share> {
        queue.reserve()
    }

    fn fetch(&self, Queued { file, part }: Self::Share) -> Self::Fetched {
        Queued { file, part: part.fetch() }
    }

    fn claim(&self, queue: &mut FileQueue, fetched: Option<Self::Fetched>) -> Result<Claimed<WorkItem>> {
        queue.claim(fetched)
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn work(&self, item: WorkItem) -> Result<Vec<TaskOutput>> {
        let start = Instant::now();
        let Tasks { tasks, files, end } = match item {
            WorkItem::Tasks(tasks, files) => Tasks::fetch(tasks, files),
            WorkItem::Files(files, run) => Tasks::open(files, run),
            WorkItem::Stretch(stretch) => return Ok(self.stretch(stretch)),
        };
        add_time(&self.counters.fetch_ns, start);
        let mut scratch = self.scratch().pop().unwrap_or_default();
        let outputs = batches::decode(&self.decoder(), self.filter.as_ref(), tasks, &files.buffers, &mut scratch);
        self.scratch().push(scratch);
        let outputs = outputs?;
        end.map(|()| outputs)
    }
}

impl Decoding {
    pub(super) fn new(
        settings: ReadSettings,
        virtual_columns: VirtualColumns,
        filter: Option<Filter>,
        counters: Arc<Counters>,
    ) -> Self {
        let (scratch, stopped) = <_>::default();
        Self { settings, virtual_columns, filter, counters, scratch, stopped }
    }

    fn decoder(&self) -> Decoder<'_> {
        Decoder { virtual_columns: &self.virtual_columns, settings: self.settings, counters: &self.counters }
    }

    /// The batches of a stretch, behind a note which blocks they are of. What is wrong in it is told by who reads it again.
    fn stretch(&self, stretch: Stretch) -> Vec<TaskOutput> {
        let (start, buffers) = (stretch.known_start(), stretch.buffers());
        let mut scratch = self.scratch().pop().unwrap_or_default();
        let decoded = stretch.open().and_then(|mut blocks| {
            let batches = self.decoder().decode_stretch(&mut blocks, &buffers, &mut scratch, &self.stopped)?;
            Ok(batches.filter(|_| blocks.is_closed()).map(|batches| (blocks.range, batches)))
        });
        self.scratch().push(scratch);
        match decoded {
            Ok(Some((blocks, batches))) => {
                let batches = batches.into_iter().map(TaskOutput::Batch);
                std::iter::once(TaskOutput::Stretch(blocks)).chain(batches).collect()
            }
            Ok(None) | Err(_) => vec![TaskOutput::Unread(start)],
        }
    }

    /// What is left in it after a panic is as good as before.
    fn scratch(&self) -> std::sync::MutexGuard<'_, Vec<Scratch>> {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Iterator for BatchReader {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let batch = self.next_batch().transpose();
        if !matches!(batch, Some(Ok(_))) {
            self.finished = true;
            self.ahead.clear();
            self.tasks.cancel();
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
