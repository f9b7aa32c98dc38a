//! The rules of the queue of tasks, on a clock that only counts.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use polars_avro::TaskTimes;

/// Results that may wait for the consumer while every thread is at work, as in `executor`.
const AHEAD: usize = 2;

/// A queue of tasks whose times are known.
pub(crate) struct Queue {
    threads: usize,
    /// How long the consumer has each result.
    consumer: Duration,
}

impl Queue {
    pub(crate) fn new(threads: usize, consumer: Duration) -> Self {
        Self { threads, consumer }
    }

    /// When the consumer has had the last result.
    ///
    /// A thread that has done a task goes on with the next, as long as no more than `threads + AHEAD` are not taken. A task
    /// reserves under the lock, fetches, and claims under the lock in its turn; the time under the lock is counted at the
    /// claim, which is where nearly all of it is spent.
    pub(crate) fn run(&self, tasks: &[TaskTimes]) -> Duration {
        if self.threads == 1 {
            return tasks.iter().map(|task| task.locked + task.fetch + task.work + self.consumer).sum();
        }
        let mut idle: BinaryHeap<_> = vec![Reverse(Duration::ZERO); self.threads].into();
        // When the consumer asks for more, after each result.
        let mut asks: Vec<Duration> = Vec::with_capacity(tasks.len());
        let mut lock_free = Duration::ZERO;
        for (i, task) in tasks.iter().enumerate() {
            let room = i.checked_sub(self.threads + AHEAD).map_or(Duration::ZERO, |taken| asks[taken]);
            let start = idle.pop().map_or(room, |Reverse(end)| end.max(room));
            lock_free = lock_free.max(start + task.fetch) + task.locked;
            let end = lock_free + task.work;
            idle.push(Reverse(end));
            asks.push(end.max(asks.last().copied().unwrap_or_default()) + self.consumer);
        }
        asks.last().copied().unwrap_or_default()
    }
}
