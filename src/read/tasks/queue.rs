//! From file to file.
//!
//! A large file is cut into tasks by its own stream. Small files are taken in runs: the thread that takes a run opens its
//! files. If rows are counted, the run is opened under the lock: the next one needs the count. A file of a few megabytes
//! among many is a run of its own. The only file of a read that is eager is cut into stretches behind its first task.

use std::ops::Range;
use std::sync::Arc;

use super::stretch::Stretches;
use super::{BlockStream, FileList, FileTask, Part, PartRequest, WorkItem};
use crate::Result;
use crate::executor::Claimed;
use crate::plan::Plan;
use crate::read::files::OpenFile;
use crate::read::stats::add;

/// Bytes and files of a run.
const RUN_BYTES: u64 = 1 << 20;
const RUN_FILES: usize = 256;

/// A part of the file that is cut into tasks now, and which file that is.
pub(crate) struct Queued<P> {
    pub(crate) file: usize,
    pub(crate) part: P,
}

/// What has not been taken of a read.
pub(crate) struct FileQueue {
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
    /// What is left of it, if it is cut into stretches.
    stretches: Option<Stretches>,
}

impl FileQueue {
    /// Files one after the other; `numbered`: the numbers of rows come out.
    pub(crate) fn new(files: Arc<FileList>, rows: Range<u64>, numbered: bool) -> Self {
        let counting = numbered || rows != (0..u64::MAX);
        Self { rows, row: 0, counting, current: None, files, next: 0 }
    }

    /// Takes note of what the next thread fetches before its turn.
    pub(crate) fn reserve(&mut self) -> Option<Queued<PartRequest>> {
        let part = self.current.as_mut().filter(|current| current.stretches.is_none())?.stream.reserve()?;
        Some(Queued { file: self.next, part })
    }

    /// What is to be done next by a thread whose turn it is, and what it has fetched.
    pub(crate) fn claim(&mut self, fetched: Option<Queued<Part>>) -> Result<Claimed<WorkItem>> {
        let mut fetched = fetched.filter(|fetched| fetched.file == self.next).map(|fetched| fetched.part);
        loop {
            if let Some(Current { file, plan, stream, stretches }) = &mut self.current {
                if let Some(stretches) = stretches {
                    let stretch = stretches.next(file, plan, &self.files);
                    return Ok(stretch.map_or(Claimed::End, |stretch| Claimed::Task(WorkItem::Stretch(stretch))));
                }
                match stream.claim(fetched.take())? {
                    Claimed::Task(task) => {
                        *stretches = stream.take_stretches().map(Stretches::new);
                        let (file, plan, base) = (file.clone(), plan.clone(), self.row);
                        let tasks = vec![FileTask { file, plan, base, task }];
                        return Ok(Claimed::Task(WorkItem::Tasks(tasks, self.files.clone())));
                    }
                    Claimed::Again => return Ok(Claimed::Again),
                    Claimed::End => {}
                }
                self.row = self.row.saturating_add(stream.row());
                self.current = None;
            }
            let files = self.files.clone();
            self.pass_counted(&files);
            if self.next == files.files.len() || (self.row >= self.rows.end && self.rows.end != u64::MAX) {
                return Ok(Claimed::End);
            }
            if self.goes_whole(&files) {
                self.next += 1;
                return Ok(Claimed::Task(WorkItem::Files(files, self.next - 1..self.next)));
            }
            if !files.files[self.next].is_small() {
                let (file, plan) = files.open(self.next)?;
                let stream = files.stream(self.next, &file, &plan, self.wanted(), files.settings.threads);
                self.current = Some(Current { file, plan, stream, stretches: None });
                self.next += 1;
            } else if self.counting {
                let tasks = self.counted_run(&files)?;
                if !tasks.is_empty() {
                    return Ok(Claimed::Task(WorkItem::Tasks(tasks, files)));
                }
            } else {
                let run = self.run(&files);
                self.next = run.end;
                return Ok(Claimed::Task(WorkItem::Files(files, run)));
            }
        }
    }

    /// Whether the next file is one task, because the other threads have files of their own. The first file is cut, so that
    /// its first rows come early.
    fn goes_whole(&self, files: &FileList) -> bool {
        let threads = files.settings.threads;
        let is_one_of_many = self.next > 0 && files.files.len() - self.next >= 2 * threads;
        threads > 1 && !self.counting && is_one_of_many && files.files[self.next].is_medium()
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
