//! What more threads would bring: tasks are measured on one thread, and replayed on many by the rules of the queue.
//!
//! ```sh
//! cargo bench --bench cores -- FILE... [, FILE...]
//! ```
//!
//! Each group of files is one read. Its tasks are cut as for 1, 2, 4 ... 128 threads, run one after the other, and their
//! times replayed: who claims what and when, the lock, turns, `threads + AHEAD`, the ramp (which is in the tasks), the
//! consumer. Memory bandwidth and shared caches are not simulated: how much slower two reads are that know nothing of
//! one another is measured, and the prediction for two threads takes it into account.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

#[path = "cores/queue.rs"]
mod queue;

use std::time::{Duration, Instant};

use polars_avro::{FileInput, FileSet, OpenOptions, ReadOptions, TaskTimes, Times, set_thread_pool_size};

use queue::Queue;

/// The wheel's; with the feature `python` the library brings it itself.
#[cfg(not(feature = "python"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Reads of which the median counts, and of each task the quickest: whatever else the machine does makes it slower.
const ROUNDS: usize = 5;

const THREADS: [usize; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

fn main() {
    set_thread_pool_size(2);
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    for group in args.split(|arg| arg == ",").filter(|group| !group.is_empty()) {
        show(group);
    }
}

/// Reads files and drops the batches, as a consumer that takes no time would.
fn read(files: &[String], threads: usize, simulated: Option<usize>) -> (Duration, Times, Vec<TaskTimes>) {
    let start = Instant::now();
    let inputs: Vec<_> = files.iter().map(|path| FileInput::Path(path.into())).collect();
    let set = FileSet::new(inputs, &OpenOptions::default()).unwrap();
    let mut options = ReadOptions::default();
    options.n_threads = Some(threads);
    options.simulated_threads = simulated;
    let mut reader = set.read(&options).unwrap();
    reader.by_ref().for_each(|batch| drop(batch.unwrap()));
    (start.elapsed(), reader.stats().times, reader.task_times())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The tasks of a read on so many threads, and the consumer's time for each.
struct Tasks {
    threads: usize,
    tasks: Vec<TaskTimes>,
    consumer: Duration,
}

impl Tasks {
    /// The least times of every task of several reads, for each number of threads; the reads are made in turn.
    fn of(files: &[String]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for round in 0..ROUNDS {
            for (at, threads) in THREADS.into_iter().enumerate() {
                let (_, times, tasks) = read(files, 1, Some(threads));
                let consumer = Duration::from_nanos(times.consumer_wait_ns) / u32::try_from(tasks.len()).unwrap();
                if round == 0 {
                    all.push(Self { threads, tasks, consumer });
                } else {
                    all[at].improve(&tasks, consumer);
                }
            }
        }
        all
    }

    fn improve(&mut self, others: &[TaskTimes], consumer: Duration) {
        assert_eq!(self.tasks.len(), others.len());
        self.consumer = self.consumer.min(consumer);
        for (task, other) in self.tasks.iter_mut().zip(others) {
            let locked = (task.locked + task.lock_wait).min(other.locked + other.lock_wait);
            (task.locked, task.lock_wait) = (locked, Duration::ZERO);
            task.fetch = task.fetch.min(other.fetch);
            task.work = task.work.min(other.work);
        }
    }

    /// How long they take.
    fn replay(&self) -> f64 {
        Queue::new(self.threads, self.consumer).run(&self.tasks).as_secs_f64()
    }
}

/// How long one read takes, and each of two at the same time, and one on two threads; in turn, medians.
fn measured(files: &[String]) -> [Duration; 3] {
    let (mut alone, mut beside, mut on_two) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(read(files, 1, None).0);
        on_two.push(read(files, 2, None).0);
        let start = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| read(files, 1, None));
            read(files, 1, None);
        });
        beside.push(start.elapsed());
    }
    [median(alone), median(beside), median(on_two)]
}

fn show(files: &[String]) {
    println!("{}{}", files[0], if files.len() > 1 { format!(" and {} more", files.len() - 1) } else { String::new() });
    let [alone, beside, on_two] = measured(files);
    let times = read(files, 1, None).1;
    let busy = times.locked_ns + times.fetch_ns + times.decompress_ns + times.decode_ns;
    let share = |part: u64| 100.0 * part as f64 / busy as f64;
    println!(
        "  one thread {alone:.1?}: under the lock {:.2} %, fetching {:.1} %, decompressing {:.1} %, decoding {:.1} %",
        share(times.locked_ns),
        share(times.fetch_ns),
        share(times.decompress_ns),
        share(times.decode_ns),
    );
    println!("  threads     tasks   speed-up   busiest: lock %");
    let all = Tasks::of(files);
    // What one thread does, which need not be what one of several does: it walks over no record twice.
    let one = all[0].replay();
    for tasks in all {
        let end = tasks.replay();
        let locked: Duration = tasks.tasks.iter().map(|task| task.locked).sum();
        let (threads, speed_up, busiest) = (tasks.threads, one / end, 100.0 * locked.as_secs_f64() / end);
        println!("  {threads:>7} {:>9} {speed_up:>10.2} {busiest:>10.1}", tasks.tasks.len());
        if threads == 2 {
            // Two reads side by side have nothing to wait for but the machine.
            let machine = alone.as_secs_f64() / beside.as_secs_f64();
            let gained = alone.as_secs_f64() / on_two.as_secs_f64();
            let predicted = speed_up * machine;
            let off = 100.0 * (gained / predicted - 1.0);
            println!(
                "          two reads side by side {:.2}, predicted {predicted:.2}, measured {gained:.2} ({off:+.1} %)",
                2.0 * machine
            );
        }
    }
}
