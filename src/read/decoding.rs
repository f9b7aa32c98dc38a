//! The workload of reading: fetches, claims and decodes a section on any thread.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::batches::{self, Filter, ReadContext, ReadWhole, Scratch, TaskOutput, VirtualColumns};
use super::sections::{FileList, Section, SectionQueue};
use super::stats::{Stats, add_lap};
use crate::Result;
use crate::executor::{Turn, Workload, lock};

/// The state that all sections of one read share.
pub(super) struct Decoding {
    list: Arc<FileList>,
    virtual_columns: VirtualColumns,
    filter: Option<Filter>,
    scratch: Mutex<Vec<Scratch>>,
}

impl Workload for Decoding {
    type Input = SectionQueue;
    type Share = Section;
    type Output = Vec<TaskOutput>;

    fn reserve(&self, queue: &mut SectionQueue) -> Option<Section> {
        queue.reserve()
    }

    /// Reads a section, claims its blocks in its turn, and decodes them. No lock is held during this work.
    fn run(&self, section: Section, turn: &mut Turn<'_, Self>) -> Result<Vec<TaskOutput>> {
        let (counters, mut lap) = (&*self.list.counters, Instant::now());
        let fetched = section.fetch(&self.list);
        add_lap(&counters.fetch_ns, &mut lap);
        if !turn.wait() {
            return Ok(Vec::new());
        }
        add_lap(&counters.lock_wait_ns, &mut lap);
        // The cursor is lost if a thread panicked in its turn.
        let Some(mut cursor) = turn.input(|queue| queue.cursor.take()) else { return Ok(Vec::new()) };
        let mut claimed = fetched.claim(&self.list, &mut cursor);
        turn.pass(|queue| queue.publish(cursor));
        add_lap(&counters.locked_ns, &mut lap);
        claimed.complete(&self.list)?;
        add_lap(&counters.fetch_ns, &mut lap);
        let context = ReadContext {
            virtual_columns: &self.virtual_columns,
            settings: self.list.settings,
            counters,
            read_whole: &ReadWhole::default(),
            cancelled: turn.cancelled(),
        };
        let mut scratch = lock(&self.scratch).pop().unwrap_or_default();
        let (filter, buffers) = (self.filter.as_ref(), &self.list.buffers);
        let outputs = batches::decode(&context, filter, claimed.tasks, buffers, &mut scratch);
        lock(&self.scratch).push(scratch);
        add_lap(&counters.work_ns, &mut lap);
        let mut outputs = outputs?;
        outputs.extend(claimed.error.map(TaskOutput::Failed));
        Ok(outputs)
    }
}

impl Decoding {
    pub(super) fn new(list: Arc<FileList>, virtual_columns: VirtualColumns, filter: Option<Filter>) -> Self {
        Self { list, virtual_columns, filter, scratch: Mutex::default() }
    }

    /// Returns the counters of the work so far.
    pub(super) fn stats(&self) -> Stats {
        self.list.counters.stats()
    }
}
