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

/// What has happened so far.
struct Replay<'a> {
    tasks: std::slice::Iter<'a, TaskTimes>,
    /// When each result is there; those before `taken` were taken.
    results: Vec<Duration>,
    taken: usize,
    lock_free: Duration,
    /// How many may be started and not taken.
    most: usize,
}

impl Replay<'_> {
    /// Does the next task from `start` on, if there is room for another one; returns when it ends.
    ///
    /// A task reserves under the lock, fetches, and claims under the lock in its turn; the time under the lock is counted
    /// at the claim, which is where nearly all of it is spent.
    fn work(&mut self, start: Duration) -> Option<Duration> {
        if self.results.len() - self.taken >= self.most {
            return None;
        }
        let task = self.tasks.next()?;
        self.lock_free = self.lock_free.max(start + task.fetch) + task.locked;
        let end = self.lock_free + task.work;
        self.results.push(end);
        Some(end)
    }
}

impl Queue {
    pub(crate) fn new(threads: usize, consumer: Duration) -> Self {
        Self { threads, consumer }
    }

    /// When the consumer has had the last result. It is one of the threads, which does a task when its next result is not
    /// there. The other threads go on until there is no room; then the consumer starts them when it asks for the next.
    pub(crate) fn run(&self, tasks: &[TaskTimes]) -> Duration {
        let (results, taken, lock_free) = (Vec::with_capacity(tasks.len()), 0, Duration::ZERO);
        let most = self.threads + AHEAD;
        let mut replay = Replay { tasks: tasks.iter(), results, taken, lock_free, most };
        let mut working: BinaryHeap<_> = vec![Reverse(Duration::ZERO); self.threads - 1].into();
        let (mut stopped, mut now) = (0, Duration::ZERO);
        while replay.taken < tasks.len() {
            if let Some(&Reverse(free)) = working.peek()
                && free <= now
            {
                working.pop();
                match replay.work(free) {
                    Some(end) => working.push(Reverse(end)),
                    None => stopped += 1,
                }
            } else if replay.results.get(replay.taken).is_some_and(|&there| there <= now) {
                replay.taken += 1;
                now += self.consumer;
                // They find out whether there is room for them now.
                working.extend(std::iter::repeat_n(Reverse(now), std::mem::take(&mut stopped)));
            } else {
                now = replay.work(now).unwrap_or_else(|| replay.results[replay.taken]);
            }
        }
        now
    }
}
