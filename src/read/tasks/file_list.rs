//! The files of one read, and the tasks of each.

use std::ops::Range;
use std::sync::Arc;

use super::{BlockStream, FileTask, Wanted};
use crate::Result;
use crate::plan::Plan;
use crate::read::fetch::BufferPool;
use crate::read::files::{FileEntry, OpenFile, PlanCache, Selection};
use crate::read::settings::ReadSettings;
use crate::read::stats::{Counters, add};

/// The files of one read and what all of them are read with.
pub(crate) struct FileList {
    pub(crate) files: Vec<Arc<FileEntry>>,
    /// Where the blocks stand that are read, if the only file is not read whole.
    pub(crate) blocks: Option<Range<u64>>,
    pub(crate) cache: Arc<PlanCache>,
    pub(crate) selection: Selection,
    pub(crate) settings: ReadSettings,
    pub(crate) counters: Arc<Counters>,
    pub(crate) buffers: Arc<BufferPool>,
}

impl FileList {
    /// Opens a file, with the plan that it is read by.
    pub(super) fn open(&self, at: usize) -> Result<(Arc<OpenFile>, Plan)> {
        let file = self.files[at].open_file(&self.cache, &self.counters)?;
        let planned = file.resolved.plan(&self.selection, &file.limits);
        let (plan, is_new) = planned.map_err(|error| error.in_file(file.source.name()))?;
        add(&self.counters.plans_compiled, u64::from(is_new));
        Ok((file, plan))
    }

    /// The stream of an open file, which is number `at`, and which so many threads share.
    pub(super) fn stream(
        &self,
        at: usize,
        file: &Arc<OpenFile>,
        plan: &Plan,
        rows: Range<u64>,
        threads: usize,
    ) -> BlockStream {
        let settings = ReadSettings { threads, files_behind: self.files.len() - at - 1, ..self.settings };
        let (counters, buffers) = (self.counters.clone(), self.buffers.clone());
        let wanted = Wanted { blocks: self.blocks.clone().unwrap_or_else(|| file.blocks()), rows };
        BlockStream::new(file.clone(), plan.clone(), settings, wanted, counters, buffers)
    }

    /// Adds all tasks of a file for one thread, and returns how many rows were passed for them. Its first row is row
    /// `base` of the read, and those in `rows` of the file are wanted.
    pub(super) fn tasks(&self, at: usize, base: u64, rows: Range<u64>, tasks: &mut Vec<FileTask>) -> Result<u64> {
        let (file, plan) = self.open(at)?;
        let mut stream = self.stream(at, &file, &plan, rows, 1);
        while let Some(task) = stream.next_task()? {
            tasks.push(FileTask { file: file.clone(), plan: plan.clone(), base, task });
        }
        Ok(stream.row())
    }
}
