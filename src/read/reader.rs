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

use super::bad_block::BadBlock;
use super::batch::{Batch, Extras};
use super::decoder::{Decoder, Scratch};
use super::filter::Filter;
use super::filtered;
use super::pool;
use super::portions::Portions;
use super::salvage::{self, Salvaged};
use super::sequence::{Job, Sequence, Tasks};
use super::stats::{Counters, Stats};
use super::task::Item;
use crate::{Error, ErrorKind, ReadAhead, Result};

/// Results that may wait for the consumer while every thread is at work.
const AHEAD: usize = 2;

/// An iterator over the batches of one read.
pub struct BatchReader {
    shared: Arc<Shared>,
    fields: Arc<[Field]>,
    /// What has come of tasks that were taken.
    ready: VecDeque<Item>,
    /// Counts rows where blocks may be missing.
    salvaged: Option<Salvaged>,
    /// Number of the next task to take.
    next: u64,
    finished: bool,
    /// Promises to the sources that all of the rest is read.
    ahead: Vec<ReadAhead>,
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
    done: BTreeMap<u64, Result<Vec<Item>>>,
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
        fields: Arc<[Field]>,
        portions: Portions,
        extras: Extras,
        filter: Option<Filter>,
        salvaged: Option<Salvaged>,
        counters: Arc<Counters>,
    ) -> Self {
        let stream = Mutex::new(Numbered { sequence, next: 0, ended: false });
        let (results, progress, cancelled, scratch) = <_>::default();
        let shared = Shared { portions, extras, filter, counters, stream, results, progress, cancelled, scratch };
        Self { shared: Arc::new(shared), fields, ready: VecDeque::new(), salvaged, next: 0, finished: false, ahead: Vec::new() }
    }

    /// Keeps promises to read on until the last batch, or until the reader is dropped.
    pub(super) fn reading_ahead(mut self, ahead: Vec<ReadAhead>) -> Self {
        self.ahead = ahead;
        self
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

    /// The blocks left out before the last batch that came, or before the end, but for those given before.
    pub fn take_bad_blocks(&mut self) -> Vec<BadBlock> {
        self.salvaged.as_mut().map(|salvaged| std::mem::take(&mut salvaged.lost)).unwrap_or_default()
    }

    /// How many rows come.
    pub(super) fn height(self) -> Result<u64> {
        let mut rows = 0;
        for batch in self {
            rows += batch?.height as u64;
        }
        Ok(rows)
    }

    /// What the next task became, `None` at the end.
    fn next_items(&mut self) -> Option<Result<Vec<Item>>> {
        if self.shared.portions.threads == 1 {
            let task = self.shared.take_task()?.1;
            return Some(task.and_then(|job| self.shared.decode(job)));
        }
        let items = self.wait();
        self.next += 1;
        items
    }

    /// Keeps the threads busy until the next task's result is there.
    fn wait(&self) -> Option<Result<Vec<Item>>> {
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
            if let Some(items) = results.done.remove(&self.next) {
                return Some(items);
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

    fn next_batch(&mut self) -> Result<Option<Batch>> {
        loop {
            if self.salvaged.as_ref().is_some_and(Salvaged::is_done) {
                return Ok(None);
            }
            if let Some(item) = self.ready.pop_front() {
                match self.batch(item)? {
                    Some(batch) => return Ok(Some(batch)),
                    None => continue,
                }
            }
            match self.next_items() {
                Some(items) => self.ready.extend(items?),
                None => return Ok(None),
            }
        }
    }

    /// The batch that comes out for this one, if any.
    fn batch(&mut self, item: Item) -> Result<Option<Batch>> {
        match (item, &mut self.salvaged) {
            (Item::Batch(batch), Some(salvaged)) => salvaged.number(batch),
            (Item::Batch(batch), None) => Ok(Some(batch)),
            (Item::Lost(bad), Some(salvaged)) => salvaged.lose(bad).map(|()| None),
            (Item::Lost(bad), None) => Err(bad.error),
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

    fn decode(&self, job: Job) -> Result<Vec<Item>> {
        let Portions { batch_rows, batch_bytes, .. } = self.portions;
        let Tasks { parts, spare, end } = job.open();
        let mut scratch = lock(&self.scratch).pop().unwrap_or_default();
        let decoder = Decoder { extras: &self.extras, batch_rows, batch_bytes, counters: &self.counters };
        let items = if self.portions.salvage {
            salvage::decode(&decoder, parts, &spare, &mut scratch)
        } else {
            let testable = parts.first().is_some_and(|part| part.plan.tested.is_some());
            let batches = match &self.filter {
                Some(filter) if testable && filter.is_due() => filtered::decode(&decoder, filter, &parts, &mut scratch),
                _ => decoder.decode(&parts, &mut scratch),
            };
            for part in parts {
                spare.give(part.task.into_bytes());
            }
            batches.map(|batches| batches.into_iter().map(Item::Batch).collect())
        };
        lock(&self.scratch).push(scratch);
        let items = items?;
        end.map(|()| items)
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
        if self.finished {
            return None;
        }
        let batch = self.next_batch().transpose();
        if !matches!(batch, Some(Ok(_))) {
            self.finished = true;
            self.ahead.clear();
            self.shared.cancelled.store(true, Ordering::Relaxed);
        }
        batch
    }
}

impl Drop for BatchReader {
    fn drop(&mut self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }
}
