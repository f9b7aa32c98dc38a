//! The workload of reading: fetches, claims and decodes a section on any thread.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::batches::{self, Filter, ReadContext, Scratch, TaskOutput, VirtualColumns};
use super::sections::{self, FileList, Section, SectionQueue};
use super::stats::add_lap;
use crate::Result;
use crate::executor::{Turn, Workload, lock};

/// The state that all sections of one read share.
pub(super) struct Decoding {
    pub(super) list: Arc<FileList>,
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
    fn run(&self, mut section: Section, turn: &mut Turn<'_, Self>) -> Result<Vec<TaskOutput>> {
        let (counters, mut lap) = (&*self.list.counters, Instant::now());
        section.fetch(&self.list);
        add_lap(&counters.fetch_ns, &mut lap);
        if !turn.wait() {
            return Ok(Vec::new());
        }
        add_lap(&counters.lock_wait_ns, &mut lap);
        let mut cursor = turn.input(|queue| queue.cursor.clone());
        let (mut tasks, walked) = section.claim(&self.list, &mut cursor);
        turn.pass(|queue| queue.publish(cursor));
        add_lap(&counters.locked_ns, &mut lap);
        sections::complete(&mut tasks, &self.list)?;
        add_lap(&counters.fetch_ns, &mut lap);
        let scratch = RefCell::new(lock(&self.scratch).pop().unwrap_or_default());
        let context = ReadContext {
            virtual_columns: &self.virtual_columns,
            settings: self.list.settings,
            counters,
            buffers: &self.list.buffers,
            scratch: &scratch,
            read_whole: &RefCell::default(),
            cancelled: turn.cancelled(),
        };
        let outputs = batches::decode(&context, self.filter.as_ref(), tasks);
        lock(&self.scratch).push(scratch.into_inner());
        add_lap(&counters.work_ns, &mut lap);
        let mut outputs = outputs?;
        outputs.extend(walked.err().map(TaskOutput::Failed));
        Ok(outputs)
    }
}

impl Decoding {
    pub(super) fn new(list: Arc<FileList>, virtual_columns: VirtualColumns, filter: Option<Filter>) -> Self {
        Self { list, virtual_columns, filter, scratch: Mutex::default() }
    }
}
