//! The work of reading: what any thread does with a task.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use super::batches::{self, Decoder, Filter, ReadWhole, Scratch, TaskOutput, VirtualColumns};
use super::settings::ReadSettings;
use super::stats::{Counters, Stats, add_time};
use super::tasks::{FileQueue, Part, PartRequest, Queued, Stretch, Tasks, WorkItem};
use crate::Result;
use crate::executor::{Claimed, TaskTimes, Workload, lock};

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
        let read_whole = ReadWhole::default();
        let outputs =
            batches::decode(&self.decoder(&read_whole), self.filter.as_ref(), tasks, &files.buffers, &mut scratch);
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

    /// What has been done so far, by threads that have taken these times.
    pub(super) fn stats(&self, times: &TaskTimes) -> Stats {
        self.counters.stats(times)
    }

    fn decoder<'a>(&'a self, read_whole: &'a ReadWhole) -> Decoder<'a> {
        let Self { virtual_columns, settings, counters, .. } = self;
        Decoder { virtual_columns, settings: *settings, counters, read_whole }
    }

    /// The batches of a stretch, behind a note which blocks they are of. What is wrong in it is told by who reads it again,
    /// also what is no error then.
    fn stretch(&self, stretch: Stretch) -> Vec<TaskOutput> {
        let (start, buffers) = (stretch.known_start(), stretch.buffers());
        let mut scratch = self.scratch().pop().unwrap_or_default();
        let read_whole = ReadWhole::default();
        let mut strict = self.decoder(&read_whole);
        strict.settings.strict = true;
        let decoded = stretch.open().and_then(|mut blocks| {
            let batches = strict.decode_stretch(&mut blocks, &buffers, &mut scratch, &self.stopped)?;
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
    fn scratch(&self) -> MutexGuard<'_, Vec<Scratch>> {
        lock(&self.scratch)
    }
}
