//! The rules of the queue of tasks, on a clock that only counts.

use std::collections::VecDeque;
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
    /// The consumer starts tasks when it asks for a result: as many as there are idle threads, and no more than
    /// `threads + AHEAD` that it has not taken. A task reserves under the lock, fetches, and claims under the lock in its
    /// turn; the time under the lock is counted at the claim, which is where nearly all of it is spent.
    pub(crate) fn run(&self, tasks: &[TaskTimes]) -> Duration {
        if self.threads == 1 {
            return tasks.iter().map(|task| task.locked + task.fetch + task.work + self.consumer).sum();
        }
        let (mut now, mut lock_free, mut started, mut taken) = (Duration::ZERO, Duration::ZERO, 0, 0);
        // When each started task that was not taken ends.
        let mut ends: VecDeque<Duration> = VecDeque::new();
        while taken < tasks.len() {
            // The consumer waits for the next result, and starts a task whenever one ends.
            loop {
                let running = ends.iter().filter(|end| **end > now).count();
                let room = running < self.threads && ends.len() < self.threads + AHEAD;
                if room && let Some(task) = tasks.get(started) {
                    let turn = lock_free.max(now + task.fetch);
                    lock_free = turn + task.locked;
                    ends.push_back(lock_free + task.work);
                    started += 1;
                } else if ends[0] <= now {
                    break;
                } else {
                    now = ends.iter().filter(|end| **end > now).min().copied().unwrap_or(now);
                }
            }
            ends.pop_front();
            taken += 1;
            now += self.consumer;
        }
        now
    }
}
