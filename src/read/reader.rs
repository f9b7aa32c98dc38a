//! Batches in file order, decoded by as many threads as there are.
//!
//! Nothing runs that was not asked for: the consumer starts tasks and takes their results, and there are never more
//! started than `threads + AHEAD` whose results it has not taken. A task takes its place in the order together with its
//! bytes, under the stream's lock, so it does not matter which thread is first.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use polars_arrow::datatypes::Field;

use super::batch::{Batch, Extras};
use super::filter::Filter;
use super::filtered;
use super::pool;
use super::sequence::{Job, Sequence, Tasks};
use super::stats::{Counters, Stats};
use super::stream::Portions;
use super::task::{Decoder, Scratch};
use crate::{Error, ErrorKind, Result};

/// Results that may wait for the consumer while every thread is at work.
const AHEAD: usize = 2;

/// An iterator over the batches of one read.
pub struct BatchReader {
    shared: Arc<Shared>,
    fields: Arc<[Field]>,
    /// Batches of tasks that were taken.
    ready: VecDeque<Batch>,
    /// Number of the next task to take.
    next: u64,
    finished: bool,
}

struct Shared {
    portions: Portions,
    extras: Extras,
    filter: Option<Filter>,
    counters: Arc<Counters>,
    stream: Mutex<Numbered>,
    results: Mutex<Results>,
    /// A result has come, or a started task found nothing to do.
    progress: Condvar,
    cancelled: AtomicBool,
    scratch: Mutex<Vec<Scratch>>,
}

/// What is left to do and the number of the next task.
struct Numbered {
    sequence: Sequence,
    next: u64,
    ended: bool,
}

#[derive(Default)]
struct Results {
    /// Tasks started that have not given their result.
    running: usize,
    done: BTreeMap<u64, Result<Vec<Batch>>>,
    /// The stream has no more tasks to start.
    ended: bool,
    /// A task panicked; which one is not known.
    panicked: bool,
}

/// A poisoned lock is a panic in a task, which has become an error of its own.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl BatchReader {
    pub(super) fn new(
        sequence: Sequence,
        fields: &[Field],
        portions: Portions,
        extras: Extras,
        filter: Option<Filter>,
        counters: Arc<Counters>,
    ) -> Self {
        let fields = extras.fields(fields);
        let stream = Mutex::new(Numbered { sequence, next: 0, ended: false });
        let (results, progress, cancelled, scratch) = <_>::default();
        let shared = Shared { portions, extras, filter, counters, stream, results, progress, cancelled, scratch };
        Self { shared: Arc::new(shared), fields, ready: VecDeque::new(), next: 0, finished: false }
    }

    /// The columns that come out, in order.
    #[must_use]
    pub fn fields(&self) -> &Arc<[Field]> {
        &self.fields
    }

    /// What has been done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.counters.stats()
    }

    /// The batches of the next task, `None` at the end.
    fn next_batches(&mut self) -> Option<Result<Vec<Batch>>> {
        if self.shared.portions.threads == 1 {
            let task = self.shared.take_task()?.1;
            return Some(task.and_then(|job| self.shared.decode(job)));
        }
        let batches = self.wait();
        self.next += 1;
        batches
    }

    /// Keeps the threads busy until the next task's result is there.
    fn wait(&self) -> Option<Result<Vec<Batch>>> {
        let Portions { threads, .. } = self.shared.portions;
        let mut results = lock(&self.shared.results);
        loop {
            while !results.ended && results.running < threads && results.running + results.done.len() < threads + AHEAD
            {
                results.running += 1;
                let shared = self.shared.clone();
                match pool::pool() {
                    Ok(pool) => pool.spawn(move || shared.run()),
                    Err(error) => return Some(Err(error)),
                }
            }
            if let Some(batches) = results.done.remove(&self.next) {
                return Some(batches);
            }
            if results.panicked {
                return Some(Err(Error::new(ErrorKind::Internal, "a panic while decoding")));
            }
            if results.ended && results.running == 0 {
                return None;
            }
            results = self.shared.progress.wait(results).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Shared {
    /// The next task and its number; an error of the stream takes a number too, and is the last.
    fn take_task(&self) -> Option<(u64, Result<Job>)> {
        let mut stream = lock(&self.stream);
        if stream.ended || self.cancelled.load(Ordering::Relaxed) {
            return None;
        }
        let task = stream.sequence.next_job().transpose();
        stream.ended = !matches!(task, Some(Ok(_)));
        let number = stream.next;
        stream.next += 1;
        task.map(|task| (number, task))
    }

    fn decode(&self, job: Job) -> Result<Vec<Batch>> {
        let Portions { batch_rows, batch_bytes, .. } = self.portions;
        let Tasks { parts, spare, end } = job.open();
        let mut scratch = lock(&self.scratch).pop().unwrap_or_default();
        let decoder = Decoder { extras: &self.extras, batch_rows, batch_bytes, counters: &self.counters };
        let testable = parts.first().is_some_and(|part| part.plan.tested.is_some());
        let batches = match &self.filter {
            Some(filter) if testable && filter.is_due() => filtered::decode(&decoder, filter, &parts, &mut scratch),
            _ => decoder.decode(&parts, &mut scratch),
        };
        lock(&self.scratch).push(scratch);
        for part in parts {
            spare.give(part.task.into_bytes());
        }
        let batches = batches?;
        end.map(|()| batches)
    }

    /// What a thread of the pool does: one task.
    fn run(&self) {
        let work = || self.take_task().map(|(number, task)| (number, task.and_then(|job| self.decode(job))));
        let worked = catch_unwind(AssertUnwindSafe(work));
        let mut results = lock(&self.results);
        results.running -= 1;
        match worked {
            Ok(Some((number, batches))) => {
                results.ended |= batches.is_err();
                results.done.insert(number, batches);
            }
            Ok(None) => results.ended = true,
            Err(_) => {
                self.cancelled.store(true, Ordering::Relaxed);
                results.ended = true;
                results.panicked = true;
            }
        }
        self.progress.notify_all();
    }
}

impl Iterator for BatchReader {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Some(Ok(batch));
            }
            if self.finished {
                return None;
            }
            match self.next_batches() {
                Some(Ok(batches)) => self.ready.extend(batches),
                Some(Err(error)) => {
                    self.finished = true;
                    return Some(Err(error));
                }
                None => self.finished = true,
            }
        }
    }
}

impl Drop for BatchReader {
    fn drop(&mut self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }
}
