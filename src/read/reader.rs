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

use super::batch::{Batch, RowIndex};
use super::file::Opened;
use super::filter::Filter;
use super::filtered;
use super::pool;
use super::salvage::{BadBlock, Numbering, Salvage};
use super::stats::{Counters, Stats};
use super::stream::{BlockStream, Portions, Wanted};
use super::task::{Blocks, Decoder, Item, Scratch, Task};
use super::window::Spare;
use crate::plan::Plan;
use crate::{Error, ErrorKind, Result};

/// Results that may wait for the consumer while every thread is at work.
const AHEAD: usize = 2;

/// An iterator over the batches of one read.
pub struct BatchReader {
    shared: Arc<Shared>,
    fields: Arc<[Field]>,
    /// What has come of tasks that were taken.
    ready: VecDeque<Item>,
    /// Counts rows where blocks may be missing.
    numbering: Option<Numbering>,
    /// Blocks left out that nobody has asked for yet, and how many there were in all.
    lost: Vec<BadBlock>,
    n_lost: usize,
    /// Number of the next task to take.
    next: u64,
    finished: bool,
}

struct Shared {
    file: Arc<Opened>,
    plan: Plan,
    /// The plan for all columns, by which damage is found.
    whole: Option<Plan>,
    portions: Portions,
    /// Where the part of the file ends that is read.
    stop: u64,
    row_index: Option<RowIndex>,
    filter: Option<Filter>,
    counters: Arc<Counters>,
    stream: Mutex<Numbered>,
    spare: Arc<Spare>,
    results: Mutex<Results>,
    /// A result has come, or a started task found nothing to do.
    progress: Condvar,
    cancelled: AtomicBool,
    scratch: Mutex<Vec<Scratch>>,
}

/// The stream and the number of its next task.
struct Numbered {
    stream: BlockStream,
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
        file: Arc<Opened>,
        plan: Plan,
        whole: Option<Plan>,
        portions: Portions,
        mut wanted: Wanted,
        mut row_index: Option<RowIndex>,
        filter: Option<Filter>,
    ) -> Self {
        let mut numbering = None;
        let index_field = row_index.iter().map(RowIndex::field);
        let fields = index_field.chain(plan.fields.iter().cloned()).collect();
        if portions.salvage {
            let wanted = std::mem::replace(&mut wanted.rows, 0..u64::MAX);
            numbering = Some(Numbering { wanted, row: 0, index: row_index.take() });
        }
        let stop = wanted.blocks.end;
        let counters = Arc::new(Counters::default());
        let spare = Arc::new(Spare::default());
        let stream = BlockStream::new(file.clone(), plan.clone(), portions, wanted, counters.clone(), spare.clone());
        let stream = Mutex::new(Numbered { stream, next: 0, ended: false });
        let (results, progress, cancelled, scratch) = <_>::default();
        let shared = Shared {
            file,
            plan,
            whole,
            portions,
            stop,
            row_index,
            filter,
            counters,
            stream,
            spare,
            results,
            progress,
            cancelled,
            scratch,
        };
        let (ready, lost) = <_>::default();
        Self { shared: Arc::new(shared), fields, ready, numbering, lost, n_lost: 0, next: 0, finished: false }
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
        std::mem::take(&mut self.lost)
    }

    /// What the next task became, `None` at the end.
    fn next_items(&mut self) -> Option<Result<Vec<Item>>> {
        if self.shared.portions.threads == 1 {
            let task = self.shared.take_task()?.1;
            return Some(task.and_then(|task| self.shared.decode(task)));
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
            if self.numbering.as_ref().is_some_and(Numbering::is_done) {
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
        match (item, &mut self.numbering) {
            (Item::Batch(batch), None) => Ok(Some(batch)),
            (Item::Batch(batch), Some(numbering)) => numbering.number(batch),
            (Item::Lost(bad), _) => {
                let limit = self.shared.file.limits.bad_blocks;
                if self.n_lost == limit {
                    let error = Error::limit("bad_blocks", format!("more than {limit} damaged blocks"));
                    return Err(error.at(|position| position.clone_from(bad.error.position())));
                }
                self.n_lost += 1;
                self.lost.push(bad);
                Ok(None)
            }
        }
    }
}

impl Shared {
    /// The next task and its number; an error of the stream takes a number too, and is the last.
    fn take_task(&self) -> Option<(u64, Result<Task>)> {
        let mut stream = lock(&self.stream);
        if stream.ended || self.cancelled.load(Ordering::Relaxed) {
            return None;
        }
        let task = stream.stream.next_task().transpose();
        stream.ended = !matches!(task, Some(Ok(_)));
        let number = stream.next;
        stream.next += 1;
        task.map(|task| (number, task))
    }

    fn decode(&self, task: Task) -> Result<Vec<Item>> {
        if let Task::Lost(bad) = task {
            return Ok(vec![Item::Lost(bad)]);
        }
        let Portions { batch_rows, batch_bytes, .. } = self.portions;
        let (file, plan, counters) = (&*self.file, &self.plan, &*self.counters);
        let row_index = self.row_index.as_ref();
        let mut scratch = lock(&self.scratch).pop().unwrap_or_default();
        let decoder = Decoder { file, plan, row_index, batch_rows, batch_bytes, counters };
        let decoded = match (&task, &self.filter) {
            (Task::Blocks(Blocks { window, pieces }), _) if self.portions.salvage => {
                let salvage = Salvage { decoder, whole: self.whole.as_ref(), stop: self.stop, inside: false };
                salvage.decode(window, pieces, &mut scratch)
            }
            (_, Some(filter)) if filter.is_due() => filtered::decode(&decoder, filter, &task, &mut scratch).map(items),
            _ => decoder.decode(&task, &mut scratch).map(items),
        };
        lock(&self.scratch).push(scratch);
        self.spare.give(task.into_bytes());
        decoded
    }

    /// What a thread of the pool does: one task.
    fn run(&self) {
        let work = || self.take_task().map(|(number, task)| (number, task.and_then(|task| self.decode(task))));
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
            self.shared.cancelled.store(true, Ordering::Relaxed);
        }
        batch
    }
}

fn items(batches: Vec<Batch>) -> Vec<Item> {
    batches.into_iter().map(Item::Batch).collect()
}

impl Drop for BatchReader {
    fn drop(&mut self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }
}
