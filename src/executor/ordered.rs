//! Tasks that run on several threads and give their results in order.
//!
//! Nothing runs ahead on its own: the consumer starts tasks and takes their results, and at most `threads + AHEAD` are
//! started and not taken. That bounds memory, and needs no blocking send. A task gets its number when it claims its
//! share of the input, under the input's lock, so the order in which threads arrive does not matter.
//!
//! Reading pulls: [`OrderedTasks::next`] starts as many tasks as fit. Writing pushes: [`OrderedTasks::submit`] starts one
//! task for each share that it puts into the input, and [`OrderedTasks::take`] waits for what was started.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::pool;
use crate::{Error, ErrorKind, Result};

/// Results that may wait for the consumer while every thread is at work.
pub(super) const AHEAD: usize = 2;

/// The work that a queue of tasks does.
pub(crate) trait Workload: Send + Sync + 'static {
    /// Everything that is left to do; behind the lock.
    type Input: Send + 'static;
    /// The share of the input that one task takes away.
    type Task: Send;
    /// The result of one task.
    type Output: Send + 'static;

    /// Takes the next share of the input, `None` at its end. Runs under the lock.
    fn claim(&self, input: &mut Self::Input) -> Result<Option<Self::Task>>;

    /// Does the work of one task, on any thread.
    fn work(&self, task: Self::Task) -> Result<Self::Output>;
}

/// A queue of tasks and its consumer's side. Dropping it keeps tasks that have not begun from beginning.
pub(crate) struct OrderedTasks<W: Workload> {
    shared: Arc<Shared<W>>,
    /// At most as many tasks run at a time; with 1, all of them on the consumer's thread.
    threads: usize,
    /// Number of the next result to take.
    next: u64,
}

struct Shared<W: Workload> {
    workload: W,
    input: Mutex<Input<W::Input>>,
    results: Mutex<Results<W::Output>>,
    /// A result has come, or a started task found nothing to do.
    progress: Condvar,
    cancelled: AtomicBool,
}

/// The input and the number of the next task.
struct Input<I> {
    rest: I,
    next: u64,
    ended: bool,
}

struct Results<T> {
    /// Tasks started that have not given their result.
    running: usize,
    done: BTreeMap<u64, Result<T>>,
    /// There is nothing left to start.
    ended: bool,
    /// A task panicked; its number is not known.
    panicked: bool,
}

/// A poisoned lock is a panic in a task, which has become an error of its own.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<W: Workload> OrderedTasks<W> {
    pub(crate) fn new(workload: W, input: W::Input, threads: usize) -> Self {
        let input = Mutex::new(Input { rest: input, next: 0, ended: false });
        let results = Results { running: 0, done: BTreeMap::new(), ended: false, panicked: false };
        let (results, progress, cancelled) = (Mutex::new(results), Condvar::new(), AtomicBool::new(false));
        let shared = Shared { workload, input, results, progress, cancelled };
        Self { shared: Arc::new(shared), threads: threads.max(1), next: 0 }
    }

    pub(crate) fn workload(&self) -> &W {
        &self.shared.workload
    }

    /// The next task's result, in order; `None` once the input has ended. Keeps every thread busy meanwhile.
    pub(crate) fn next(&mut self) -> Option<Result<W::Output>> {
        if self.threads == 1 {
            return self.shared.run_next().map(|(_, result)| result);
        }
        self.wait(true)
    }

    /// Puts a share into the input and starts the task that claims it.
    pub(crate) fn submit(&mut self, put: impl FnOnce(&mut W::Input)) -> Result<()> {
        put(&mut lock(&self.shared.input).rest);
        if self.threads > 1 {
            let mut results = lock(&self.shared.results);
            return self.start(&mut results);
        }
        if let Some((number, result)) = self.shared.run_next() {
            lock(&self.shared.results).done.insert(number, result);
        }
        Ok(())
    }

    /// Whether the consumer has to take a result before it may submit another share.
    pub(crate) fn is_full(&self) -> bool {
        let results = lock(&self.shared.results);
        results.running + results.done.len() >= if self.threads == 1 { 1 } else { self.threads + AHEAD }
    }

    /// The next result of the tasks that were started, in order; `None` if all are taken.
    pub(crate) fn take(&mut self) -> Option<Result<W::Output>> {
        self.wait(false)
    }

    /// Keeps tasks that have not begun from beginning.
    pub(crate) fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }

    /// Waits for the next result and starts more tasks before, if `pull` says so.
    fn wait(&mut self, pull: bool) -> Option<Result<W::Output>> {
        let mut results = lock(&self.shared.results);
        loop {
            while pull
                && !results.ended
                && results.running < self.threads
                && results.running + results.done.len() < self.threads + AHEAD
            {
                if let Err(error) = self.start(&mut results) {
                    return Some(Err(error));
                }
            }
            if let Some(result) = results.done.remove(&self.next) {
                self.next += 1;
                return Some(result);
            }
            if results.panicked {
                return Some(Err(Error::new(ErrorKind::Internal, "a panic on another thread")));
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
        let shared = self.shared.clone();
        pool.spawn(move || shared.run());
        Ok(())
    }
}

impl<W: Workload> Drop for OrderedTasks<W> {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl<W: Workload> Shared<W> {
    /// The next task and its number; an error of the input takes a number too, and is the last.
    fn claim(&self) -> Option<(u64, Result<W::Task>)> {
        let mut input = lock(&self.input);
        if input.ended || self.cancelled.load(Ordering::Relaxed) {
            return None;
        }
        let task = self.workload.claim(&mut input.rest).transpose();
        input.ended = !matches!(task, Some(Ok(_)));
        let number = input.next;
        input.next += 1;
        task.map(|task| (number, task))
    }

    /// Claims one task and does its work.
    fn run_next(&self) -> Option<(u64, Result<W::Output>)> {
        self.claim().map(|(number, task)| (number, task.and_then(|task| self.workload.work(task))))
    }

    /// Runs one task on a thread of the pool.
    fn run(&self) {
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
        self.progress.notify_all();
    }
}
