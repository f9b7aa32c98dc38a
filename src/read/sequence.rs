//! From file to file.
//!
//! A large file is cut into tasks by its own stream. Small files are taken in runs: whoever takes a run opens its files
//! itself, unless rows are counted, which have to be known before the next run.

use std::ops::Range;
use std::sync::Arc;

use super::members::{Members, SMALL};
use super::opened::Opened;
use super::portions::Portions;
use super::stats::Counters;
use super::stream::{BlockStream, Wanted};
use super::task::Part;
use super::window::Spare;
use crate::Result;
use crate::plan::Plan;

/// Bytes and files of a run.
const RUN_BYTES: u64 = 1 << 20;
const RUN_FILES: usize = 256;

/// What one thread takes away.
pub(super) enum Job {
    /// Tasks whose bytes are there, and who wants them back.
    Parts(Vec<Part>, Arc<Spare>),
    /// Small files.
    Files(Arc<Members>, Range<usize>),
}

/// The tasks of a job.
pub(super) struct Tasks {
    pub(super) parts: Vec<Part>,
    /// Who wants their bytes back.
    pub(super) spare: Arc<Spare>,
    /// What is wrong behind them.
    pub(super) end: Result<()>,
}

impl Job {
    /// Opens the files of it.
    pub(super) fn open(self) -> Tasks {
        match self {
            Self::Parts(parts, spare) => Tasks { parts, spare, end: Ok(()) },
            Self::Files(members, mut run) => {
                let mut parts = Vec::with_capacity(run.len());
                let end = run.try_for_each(|at| members.tasks(at, 0, 0..u64::MAX, &mut parts).map(|_| ()));
                Tasks { parts, spare: members.spare.clone(), end }
            }
        }
    }
}

/// What has not been taken of a read.
pub(super) struct Sequence {
    spare: Arc<Spare>,
    /// Rows that are wanted, and the number of the next file's first row.
    rows: Range<u64>,
    row: u64,
    /// Whether rows have numbers that matter.
    counting: bool,
    current: Option<Current>,
    /// The files, if there are several, and which of them is next.
    members: Option<Arc<Members>>,
    next: usize,
}

/// The file that is cut into tasks now.
struct Current {
    file: Arc<Opened>,
    plan: Plan,
    stream: BlockStream,
}

impl Sequence {
    /// One file that is open already.
    pub(super) fn of_one(
        file: Arc<Opened>,
        plan: Plan,
        wanted: Wanted,
        portions: Portions,
        counters: Arc<Counters>,
    ) -> Self {
        let spare = Arc::new(Spare::default());
        let rows = wanted.rows.clone();
        let stream = BlockStream::new(file.clone(), plan.clone(), portions, wanted, counters, spare.clone());
        let current = Some(Current { file, plan, stream });
        Self { spare, rows, row: 0, counting: true, current, members: None, next: 0 }
    }

    /// Files one after the other; `numbered`: the numbers of rows come out.
    pub(super) fn of_many(members: Arc<Members>, rows: Range<u64>, numbered: bool) -> Self {
        let counting = numbered || rows != (0..u64::MAX);
        let spare = members.spare.clone();
        Self { spare, rows, row: 0, counting, current: None, members: Some(members), next: 0 }
    }

    /// What is to be done next, `None` where nothing is.
    pub(super) fn next_job(&mut self) -> Result<Option<Job>> {
        loop {
            if let Some(Current { file, plan, stream }) = &mut self.current {
                if let Some(task) = stream.next_task()? {
                    let (file, plan, base) = (file.clone(), plan.clone(), self.row);
                    return Ok(Some(Job::Parts(vec![Part { file, plan, base, task }], self.spare.clone())));
                }
                self.row = self.row.saturating_add(stream.row());
                self.current = None;
            }
            let Some(members) = self.members.clone() else { return Ok(None) };
            self.pass_counted(&members);
            if self.next == members.members.len() || (self.row >= self.rows.end && self.rows.end != u64::MAX) {
                return Ok(None);
            }
            if members.members[self.next].size()? >= SMALL {
                let (file, plan) = members.open(self.next)?;
                let stream = members.stream(&file, &plan, self.wanted());
                self.current = Some(Current { file, plan, stream });
                self.next += 1;
            } else if self.counting {
                let parts = self.counted_run(&members)?;
                if !parts.is_empty() {
                    return Ok(Some(Job::Parts(parts, self.spare.clone())));
                }
            } else {
                let run = self.run(&members);
                self.next = run.end;
                return Ok(Some(Job::Files(members, run)));
            }
        }
    }

    /// Leaves out files before the first wanted row whose rows are counted.
    fn pass_counted(&mut self, members: &Members) {
        while let Some(member) = members.members.get(self.next)
            && let Some(rows) = member.counted()
            && self.row.saturating_add(rows) <= self.rows.start
        {
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
    fn run(&self, members: &Members) -> Range<usize> {
        let mut bytes = 0;
        let small = members.members[self.next..].iter().take(RUN_FILES).take_while(|member| {
            // A file that cannot be looked at, or not without waiting, ends the run; it is looked at when it is next.
            let size = member.known_size().unwrap_or(SMALL);
            let fits = bytes < RUN_BYTES && size < SMALL;
            bytes += size;
            fits
        });
        self.next..self.next + small.count()
    }

    /// The tasks of the same files, opened here because the number of the row behind them is needed.
    fn counted_run(&mut self, members: &Members) -> Result<Vec<Part>> {
        let mut parts = Vec::new();
        for at in self.run(members) {
            if self.row >= self.rows.end && self.rows.end != u64::MAX {
                break;
            }
            let before = parts.len();
            let rows = match members.tasks(at, self.row, self.wanted(), &mut parts) {
                Ok(rows) => rows,
                // The files before it come first; it fails again when it is next.
                Err(_) if before > 0 => {
                    parts.truncate(before);
                    break;
                }
                Err(error) => return Err(error),
            };
            self.row = self.row.saturating_add(rows);
            self.next = at + 1;
        }
        Ok(parts)
    }
}
