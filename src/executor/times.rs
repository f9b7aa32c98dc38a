//! What threads spend their time on: a few looks at the clock a task.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::lock::lock;

/// What a thread does at a time.
#[derive(Clone, Copy)]
pub(super) enum Phase {
    /// Waits for its turn.
    LockWait,
    Locked,
    Fetch,
}

/// The times of one task, or of all.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TaskTimes {
    /// Waiting for the lock or for the turn of the task.
    pub lock_wait: Duration,
    /// Holding the lock.
    pub locked: Duration,
    /// Fetching a share of the input.
    pub fetch: Duration,
    /// Doing the work.
    pub work: Duration,
    /// Of all tasks: how long threads were idle because the consumer started none.
    pub consumer_wait: Duration,
}

/// Takes the time of one task.
pub(super) struct Clock {
    since: Instant,
    times: TaskTimes,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { since: Instant::now(), times: TaskTimes::default() }
    }

    /// Ends a phase; the next one begins.
    pub(super) fn ends(&mut self, phase: Phase) {
        let spent = self.lap();
        let Self { times, .. } = self;
        *match phase {
            Phase::LockWait => &mut times.lock_wait,
            Phase::Locked => &mut times.locked,
            Phase::Fetch => &mut times.fetch,
        } += spent;
    }

    /// Ends the work; returns the times of all phases.
    pub(super) fn finish(&mut self) -> TaskTimes {
        let spent = self.lap();
        self.times.work += spent;
        self.times
    }

    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.since, now)
    }
}

/// The times of all tasks of a queue, in nanoseconds.
#[derive(Default)]
pub(super) struct Times {
    lock_wait: AtomicU64,
    locked: AtomicU64,
    fetch: AtomicU64,
    work: AtomicU64,
    consumer_wait: AtomicU64,
    keeps: AtomicBool,
    kept: Mutex<Vec<TaskTimes>>,
}

impl Times {
    /// Adds the times of a task.
    pub(super) fn add(&self, times: TaskTimes) {
        let add = |sum: &AtomicU64, time: Duration| sum.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
        add(&self.lock_wait, times.lock_wait);
        add(&self.locked, times.locked);
        add(&self.fetch, times.fetch);
        add(&self.work, times.work);
        if self.keeps.load(Ordering::Relaxed) {
            lock(&self.kept).push(times);
        }
    }

    /// A thread that has been idle for the longest gets a task.
    pub(super) fn resume(&self, idle: &mut Vec<Instant>) {
        if !idle.is_empty() {
            let spent = idle.remove(0).elapsed();
            self.consumer_wait.fetch_add(spent.as_nanos() as u64, Ordering::Relaxed);
        }
    }

    pub(super) fn keep(&self) {
        self.keeps.store(true, Ordering::Relaxed);
    }

    pub(super) fn kept(&self) -> Vec<TaskTimes> {
        lock(&self.kept).clone()
    }

    pub(super) fn sum(&self) -> TaskTimes {
        let get = |sum: &AtomicU64| Duration::from_nanos(sum.load(Ordering::Relaxed));
        TaskTimes {
            lock_wait: get(&self.lock_wait),
            locked: get(&self.locked),
            fetch: get(&self.fetch),
            work: get(&self.work),
            consumer_wait: get(&self.consumer_wait),
        }
    }
}
