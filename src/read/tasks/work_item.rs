//! What one thread takes away from the queue, and what it fetches for it.

use std::ops::Range;
use std::sync::Arc;

use super::{Blocks, FileList, FileTask, Stretch, Task};
use crate::read::fetch;
use crate::read::files::{BadBlock, is_damage};
use crate::{Error, Result};

/// What one thread takes away.
pub(crate) enum WorkItem {
    /// Tasks that know where their bytes are.
    Tasks(Vec<FileTask>, Arc<FileList>),
    /// Small files.
    Files(Arc<FileList>, Range<usize>),
    /// A long part of a file.
    Stretch(Stretch),
}

/// The tasks of a work item.
pub(crate) struct Tasks {
    pub(crate) tasks: Vec<FileTask>,
    /// The files of the read, whose buffers want their bytes back.
    pub(crate) files: Arc<FileList>,
    /// What is wrong behind them.
    pub(crate) end: Result<()>,
}

impl Tasks {
    /// Fetches what is missing of these tasks.
    pub(crate) fn fetch(tasks: Vec<FileTask>, files: Arc<FileList>) -> Self {
        Self::complete(tasks, files, Ok(()))
    }

    /// Opens a run of files.
    pub(crate) fn open(files: Arc<FileList>, mut run: Range<usize>) -> Self {
        let mut tasks = Vec::with_capacity(run.len());
        let opened = run.try_for_each(|at| files.tasks(at, 0, 0..u64::MAX, &mut tasks).map(|_| ()));
        Self::complete(tasks, files, opened)
    }

    fn complete(tasks: Vec<FileTask>, files: Arc<FileList>, opened: Result<()>) -> Self {
        let mut complete = Vec::with_capacity(tasks.len());
        let fetched = tasks.into_iter().try_for_each(|task| files.complete(task, &mut complete));
        Self { tasks: complete, files, end: fetched.and(opened) }
    }
}

impl FileList {
    /// Adds a task with all of its bytes.
    pub(super) fn complete(&self, mut part: FileTask, complete: &mut Vec<FileTask>) -> Result<()> {
        let mut bad = Vec::new();
        if let Task::Blocks(Blocks { window, missing, slices, .. }) = &mut part.task
            && !missing.is_empty()
        {
            let bytes = fetch::append(&*part.file.source, std::mem::take(window), missing, &self.buffers)?;
            let whole = slices.iter().take_while(|slice| slice.range.end <= bytes.len()).count();
            *window = bytes;
            for slice in slices.drain(whole..) {
                let error = Error::data("the file became shorter while it was read");
                let error = part.file.block_error(error, &slice.frame);
                if !self.settings.ignore_errors || !is_damage(&error) {
                    return Err(error);
                }
                bad.push(BadBlock::new(error, Some(&slice.frame), &part.file));
            }
        }
        let FileTask { file, plan, base, .. } = &part;
        let bad = bad.into_iter().map(Task::BadBlock);
        let bad: Vec<_> =
            bad.map(|task| FileTask { file: file.clone(), plan: plan.clone(), base: *base, task }).collect();
        complete.push(part);
        complete.extend(bad);
        Ok(())
    }
}
