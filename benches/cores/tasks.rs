//! The tasks of a read, measured on one thread and replayed on many.

use std::time::Duration;

use polars_avro::TaskTimes;

use crate::median;
use crate::part::{Part, Read};
use crate::queue::Queue;

/// What is simulated.
pub(crate) const THREADS: [usize; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

/// The tasks of a read on so many threads.
pub(crate) struct Tasks {
    pub(crate) threads: usize,
    /// The least times of each task.
    pub(crate) tasks: Vec<TaskTimes>,
    /// The consumer's time for each.
    consumer: Duration,
    /// How long all of them take one after the other, in each round.
    totals: Vec<f64>,
}

impl Tasks {
    /// The tasks of several reads, for each number of threads; the reads are made in turn.
    pub(crate) fn of(part: &Part, rounds: usize) -> Vec<Self> {
        let consumer = Duration::MAX;
        let new = |threads| Self { threads, tasks: Vec::new(), consumer, totals: Vec::new() };
        let mut all: Vec<Self> = THREADS.into_iter().map(new).collect();
        for _ in 0..rounds {
            // What was read before leaves its mark on memory and caches.
            all.reverse();
            for tasks in &mut all {
                tasks.add(part);
            }
        }
        all.sort_by_key(|tasks| tasks.threads);
        all
    }

    fn add(&mut self, part: &Part) {
        let Read { times, mut tasks, .. } = part.read(1, Some(self.threads));
        let consumer = Duration::from_nanos(times.consumer_wait_ns) / u32::try_from(tasks.len()).unwrap();
        for task in &mut tasks {
            task.locked += std::mem::take(&mut task.lock_wait);
        }
        self.totals.push(Queue::new(1, consumer).run(&tasks).as_secs_f64());
        self.consumer = self.consumer.min(consumer);
        if self.tasks.is_empty() {
            self.tasks = tasks;
            return;
        }
        assert_eq!(self.tasks.len(), tasks.len());
        for (task, other) in self.tasks.iter_mut().zip(tasks) {
            task.locked = task.locked.min(other.locked);
            task.fetch = task.fetch.min(other.fetch);
            task.work = task.work.min(other.work);
        }
    }

    /// How long they take on as many threads, and how many times as long one after the other.
    pub(crate) fn replay(&self) -> (f64, f64) {
        let end = Queue::new(self.threads, self.consumer).run(&self.tasks).as_secs_f64();
        (end, Queue::new(1, self.consumer).run(&self.tasks).as_secs_f64() / end)
    }

    /// How many times as long as these the tasks of a read on one thread take, one after the other: they are cut otherwise.
    pub(crate) fn spared(&self, one: &Self) -> f64 {
        median(one.totals.iter().zip(&self.totals).map(|(one, all)| one / all).collect())
    }
}
