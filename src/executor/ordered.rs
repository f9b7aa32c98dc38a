//! Tasks that run on several threads and give their results in order.
//!
//! The consumer starts tasks and takes their results; at most `threads + AHEAD` are started and not taken, which bounds
//! memory and needs no blocking send. A thread that has done a task goes on with the next. A thread that others wait for
//! is given back, so no queue keeps it from another.
//!
//! The consumer is one of the threads: where the next result is not there, it does a task itself. With a thread more than
//! that, the results of two cores wait for the consumer to get one of them. Only where a task may wait long for its input
//! does the consumer wait for results instead, as it should have the first one when it is there.
//!
//! A task reserves its share of the input under the lock, fetches it outside, and claims it under the lock again when
//! the shares reserved before it are claimed. Results have the order of the claims. So threads fetch side by side, and
//! only what depends on the share before is serial.
//!
//! Reading pulls: [`OrderedTasks::next`] starts as many tasks as fit. Writing pushes: [`OrderedTasks::submit`] puts shares
//! into the input, and [`OrderedTasks::take`] gives what became of them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use super::input::{Claimed, Input};
use super::lock::lock;
use super::pool;
use super::times::{Clock, TaskTimes, Times};
use crate::{Error, ErrorKind, Result};

/// Results that may wait for the consumer while every thread is at work.
pub(super) const AHEAD: usize = 2;

/// The work that a queue of tasks does.
pub(crate) trait Workload: Send + Sync + 'static {
    /// Everything that is left to do; behind the lock.
    type Input: Send + 'static;
    /// What a task fetches before its turn.
    type Share: Send;
    /// What was fetched.
    type Fetched: Send;
    /// What one task takes away.
    type Task: Send;
    /// The result of one task.
    type Output: Send + 'static;

    /// Takes note of what the next task fetches; `None` if its claim needs nothing. Runs under the lock.
    fn reserve(&self, input: &mut Self::Input) -> Option<Self::Share>;

    /// Fetches a share, outside the lock.
    fn fetch(&self, share: Self::Share) -> Self::Fetched;

    /// Takes the next task. Runs under the lock, in the order of the reservations.
    fn claim(&self, input: &mut Self::Input, fetched: Option<Self::Fetched>) -> Result<Claimed<Self::Task>>;

    /// Does the work of one task, on any thread.
    fn work(&self, task: Self::Task) -> Result<Self::Output>;

    /// Nobody wants results any more: long tasks that are under way may end early.
    fn stop(&self) {}
}

/// What the consumer of a queue does while its next result is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consumer {
    /// Tasks, as one of the threads.
    Works,
    /// The same, and it keeps all results: any number of them may wait for it.
    Keeps,
    /// Nothing, unless it is the only thread.
    Waits,
}

/// A queue of tasks and its consumer's side. Dropping it keeps tasks that have not begun from beginning.
pub(crate) struct OrderedTasks<W: Workload> {
    shared: Arc<Shared<W>>,
    /// Number of the next result to take.
    next: u64,
}

struct Shared<W: Workload> {
    workload: W,
    /// At most as many tasks run at a time; with 1, all of them on the consumer's thread.
    threads: usize,
    consumer: Consumer,
    input: Input<W>,
    results: Mutex<Results<W::Output>>,
    /// A result has come, or a started task found nothing to do.
    progress: Condvar,
    cancelled: AtomicBool,
    times: Times,
}

struct Results<T> {
    /// Whether the consumer pulls, so that there is always another task.
    pulled: bool,
    /// Tasks started that have not given their result.
    running: usize,
    /// Shares that were put into the input while as many tasks ran as may.
    queued: usize,
    done: BTreeMap<u64, Result<T>>,
    /// There is nothing left to start.
    ended: bool,
    /// A task panicked; its number is not known.
    panicked: bool,
    /// When each thread that has no task ended its last one.
    idle: Vec<Instant>,
}

impl<W: Workload> OrderedTasks<W> {
    pub(crate) fn new(workload: W, input: W::Input, threads: usize, consumer: Consumer) -> Self {
        let results = Results {
            pulled: false,
            running: 0,
            queued: 0,
            done: BTreeMap::new(),
            ended: false,
            panicked: false,
            idle: Vec::new(),
        };
        let shared = Shared {
            workload,
            threads: threads.max(1),
            consumer: if threads <= 1 && consumer == Consumer::Waits { Consumer::Works } else { consumer },
            input: Input::new(input),
            results: Mutex::new(results),
            progress: Condvar::new(),
            cancelled: AtomicBool::new(false),
            times: Times::default(),
        };
        Self { shared: Arc::new(shared), next: 0 }
    }

    pub(crate) fn workload(&self) -> &W {
        &self.shared.workload
    }

    /// What the threads have spent their time on.
    pub(crate) fn times(&self) -> TaskTimes {
        self.shared.times.sum()
    }

    /// Adds what threads have spent on the same read before.
    pub(crate) fn add_times(&self, times: TaskTimes) {
        self.shared.times.add(times, false);
    }

    /// Keeps the times of every task from now on.
    pub(crate) fn keep_times(&self) {
        self.shared.times.keep();
    }

    /// Returns the times of the tasks since [`OrderedTasks::keep_times`], in the order in which they ended.
    pub(crate) fn kept_times(&self) -> Vec<TaskTimes> {
        self.shared.times.kept()
    }

    /// The next task's result, in order; `None` once the input has ended. Keeps every thread busy meanwhile.
    pub(crate) fn next(&mut self) -> Option<Result<W::Output>> {
        self.wait(true)
    }

    /// Puts a share into the input, for a task that is started, or for the next thread that has none.
    pub(crate) fn submit(&mut self, put: impl FnOnce(&mut W::Input)) -> Result<()> {
        self.shared.input.put(put);
        let mut results = lock(&self.shared.results);
        if results.running < self.shared.others() {
            return self.start(&mut results);
        }
        results.queued += 1;
        Ok(())
    }

    /// Whether the consumer has to take a result before it may submit another share.
    pub(crate) fn is_full(&self) -> bool {
        let results = lock(&self.shared.results);
        results.running + results.queued + results.done.len()
            >= if self.shared.threads == 1 { 1 } else { self.shared.threads + AHEAD }
    }

    /// The next result of the shares that were put, in order; `None` if all are taken.
    pub(crate) fn take(&mut self) -> Option<Result<W::Output>> {
        self.wait(false)
    }

    /// Keeps tasks that have not begun from beginning, and asks the others to stop.
    pub(crate) fn cancel(&self) {
        self.shared.cancel();
    }

    /// Cancels the tasks from elsewhere, as long as they are there.
    pub(crate) fn canceller(&self) -> impl Fn() + Send + Sync + use<W> {
        let shared = Arc::downgrade(&self.shared);
        move || {
            if let Some(shared) = shared.upgrade() {
                shared.cancel();
            }
        }
    }

    /// Waits for the next result, or works until it is there; starts more tasks before, if `pull` says so.
    fn wait(&mut self, pull: bool) -> Option<Result<W::Output>> {
        let mut results = lock(&self.shared.results);
        loop {
            results.pulled |= pull;
            while pull && results.running < self.shared.others() && self.shared.has_room(&results) {
                if let Err(error) = self.start(&mut results) {
                    return Some(Err(error));
                }
            }
            if let Some(result) = results.done.remove(&self.next) {
                self.next += 1;
                return Some(result);
            }
            if results.panicked {
                return Some(Err(Error::new(ErrorKind::Internal, "a task panicked")));
            }
            let is_queued = results.queued > 0;
            if self.shared.consumer_works() && (is_queued || (pull && self.shared.has_room(&results))) {
                results.queued -= usize::from(is_queued);
                results.running += 1;
                self.shared.times.resume(&mut results.idle);
                drop(results);
                self.shared.run_one(false);
                results = lock(&self.shared.results);
                continue;
            }
            if results.running == 0 {
                return None;
            }
            results = self.shared.progress.wait(results).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn start(&self, results: &mut Results<W::Output>) -> Result<()> {
        let pool = pool::pool()?;
        results.running += 1;
        self.shared.times.resume(&mut results.idle);
        let shared = self.shared.clone();
        pool::spawn(pool, move || shared.run());
        Ok(())
    }
}

impl<W: Workload> Drop for OrderedTasks<W> {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl<W: Workload> Shared<W> {
    /// How many threads of the pool may have a task.
    fn others(&self) -> usize {
        self.threads - usize::from(self.consumer_works())
    }

    fn consumer_works(&self) -> bool {
        self.consumer != Consumer::Waits
    }

    fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        self.workload.stop();
    }

    /// Whether another task may be started.
    fn has_room(&self, results: &Results<W::Output>) -> bool {
        let fits = results.running + results.done.len() < self.threads + AHEAD;
        !results.ended && (fits || self.consumer == Consumer::Keeps)
    }

    /// Claims one task and does its work.
    fn run_next(&self) -> Option<(u64, Result<W::Output>)> {
        let mut clock = Clock::new();
        let claimed = self.input.claim(&self.workload, &self.cancelled, &mut clock);
        let worked = claimed.map(|(number, task)| (number, task.and_then(|task| self.workload.work(task))));
        self.times.add(clock.finish(), worked.is_some());
        worked
    }

    /// Runs one task on a thread of the pool, and more as long as there are any for it.
    fn run(&self) {
        while self.run_one(true) {}
    }

    /// Runs one task that is counted as running; returns whether this thread, which may go on, has another one.
    fn run_one(&self, may_go_on: bool) -> bool {
        let worked = catch_unwind(AssertUnwindSafe(|| self.run_next()));
        let mut results = lock(&self.results);
        results.running -= 1;
        match worked {
            Ok(Some((number, result))) => {
                results.ended |= result.is_err();
                results.done.insert(number, result);
            }
            Ok(None) => results.ended = true,
            Err(_) => {
                self.cancelled.store(true, Ordering::Relaxed);
                results.ended = true;
                results.panicked = true;
            }
        }
        let is_queued = results.queued > 0;
        let is_pulled = results.pulled && self.has_room(&results);
        let goes_on = may_go_on && (is_queued || is_pulled) && !results.ended && !pool::is_wanted();
        if goes_on {
            results.running += 1;
            results.queued -= usize::from(is_queued);
        } else {
            results.idle.push(Instant::now());
        }
        self.progress.notify_all();
        goes_on
    }
}
