//! From file to file.
//!
//! A large file is cut into tasks by its own stream. Small files are taken in runs: whoever takes a run opens its files
//! itself, unless rows are counted, which have to be known before the next run.

use std::ops::Range;
use std::sync::Arc;

use super::{BlockStream, FileList, FileTask};
use crate::Result;
use crate::plan::Plan;
use crate::read::fetch::BufferPool;
use crate::read::files::OpenFile;
use crate::read::stats::add;

/// Bytes and files of a run.
const RUN_BYTES: u64 = 1 << 20;
const RUN_FILES: usize = 256;

/// What one thread takes away.
pub(crate) enum WorkItem {
    /// Tasks whose bytes are there, and who wants them back.
    Tasks(Vec<FileTask>, Arc<BufferPool>),
    /// Small files.
    Files(Arc<FileList>, Range<usize>),
}

/// The tasks of a work item.
pub(crate) struct Tasks {
    pub(crate) tasks: Vec<FileTask>,
    /// Who wants their bytes back.
    pub(crate) buffers: Arc<BufferPool>,
    /// What is wrong behind them.
    pub(crate) end: Result<()>,
}

impl WorkItem {
    /// Opens the files of it.
    pub(crate) fn open(self) -> Tasks {
        match self {
            Self::Tasks(tasks, buffers) => Tasks { tasks, buffers, end: Ok(()) },
            Self::Files(files, mut run) => {
                let mut tasks = Vec::with_capacity(run.len());
                let end = run.try_for_each(|at| files.tasks(at, 0, 0..u64::MAX, &mut tasks).map(|_| ()));
                Tasks { tasks, buffers: files.buffers.clone(), end }
            }
        }
    }
}

/// What has not been taken of a read.
pub(crate) struct FileQueue {
    buffers: Arc<BufferPool>,
    /// Rows that are wanted, and the number of the next file's first row.
    rows: Range<u64>,
    row: u64,
    /// Whether rows have numbers that matter.
    counting: bool,
    current: Option<Current>,
    /// The files, and which of them is next.
    files: Arc<FileList>,
    next: usize,
}

/// The file that is cut into tasks now.
struct Current {
    file: Arc<OpenFile>,
    plan: Plan,
    stream: BlockStream,
}

impl FileQueue {
    /// Files one after the other; `numbered`: the numbers of rows come out.
    pub(crate) fn new(files: Arc<FileList>, rows: Range<u64>, numbered: bool) -> Self {
        let counting = numbered || rows != (0..u64::MAX);
        let buffers = files.buffers.clone();
        Self { buffers, rows, row: 0, counting, current: None, files, next: 0 }
    }

    /// What is to be done next, `None` where nothing is.
    pub(crate) fn next_item(&mut self) -> Result<Option<WorkItem>> {
        loop {
            if let Some(Current { file, plan, stream }) = &mut self.current {
                if let Some(task) = stream.next_task()? {
                    let (file, plan, base) = (file.clone(), plan.clone(), self.row);
                    return Ok(Some(WorkItem::Tasks(vec![FileTask { file, plan, base, task }], self.buffers.clone())));
                }
                self.row = self.row.saturating_add(stream.row());
                self.current = None;
            }
            let files = self.files.clone();
            self.pass_counted(&files);
            if self.next == files.files.len() || (self.row >= self.rows.end && self.rows.end != u64::MAX) {
                return Ok(None);
            }
            if !files.files[self.next].is_small() {
                let (file, plan) = files.open(self.next)?;
                let stream = files.stream(&file, &plan, self.wanted());
                self.current = Some(Current { file, plan, stream });
                self.next += 1;
            } else if self.counting {
                let tasks = self.counted_run(&files)?;
                if !tasks.is_empty() {
                    return Ok(Some(WorkItem::Tasks(tasks, self.buffers.clone())));
                }
            } else {
                let run = self.run(&files);
                self.next = run.end;
                return Ok(Some(WorkItem::Files(files, run)));
            }
        }
    }

    /// Leaves out files before the first wanted row whose rows are counted.
    fn pass_counted(&mut self, files: &FileList) {
        while files.blocks.is_none()
            && let Some(entry) = files.files.get(self.next)
            && let Some((blocks, rows)) = entry.counted()
            && self.row.saturating_add(rows) <= self.rows.start
        {
            add(&files.counters.blocks_skipped, blocks);
            self.row = self.row.saturating_add(rows);
            self.next += 1;
        }
    }

    /// The wanted rows, counted from the next file's first one.
    fn wanted(&self) -> Range<u64> {
        let end = if self.rows.end == u64::MAX { u64::MAX } else { self.rows.end.saturating_sub(self.row) };
        self.rows.start.saturating_sub(self.row)..end
    }

    /// The small files that stand next to one another from the next one on.
    fn run(&self, files: &FileList) -> Range<usize> {
        let mut bytes = 0;
        let small = files.files[self.next..].iter().take(RUN_FILES).take_while(|entry| {
            // A file that cannot be looked at, or not without waiting, ends the run; it is looked at when it is next.
            let fits = bytes < RUN_BYTES && entry.is_small();
            bytes += entry.known_size().unwrap_or_default();
            fits
        });
        self.next..self.next + small.count()
    }

    /// The tasks of the same files, opened here because the number of the row behind them is needed.
    fn counted_run(&mut self, files: &FileList) -> Result<Vec<FileTask>> {
        let mut tasks = Vec::new();
        for at in self.run(files) {
            if self.row >= self.rows.end && self.rows.end != u64::MAX {
                break;
            }
            let before = tasks.len();
            let rows = match files.tasks(at, self.row, self.wanted(), &mut tasks) {
                Ok(rows) => rows,
                // The files before it come first; it fails again when it is next.
                Err(_) if before > 0 => {
                    tasks.truncate(before);
                    break;
                }
                Err(error) => return Err(error),
            };
            self.row = self.row.saturating_add(rows);
            self.next = at + 1;
        }
        Ok(tasks)
    }
}
