//! What more threads would bring: tasks are measured on one thread, and replayed on many by the rules of the queue.
//!
//! ```sh
//! cargo bench --bench cores -- [--eager] FILE... [, FILE...]
//! ```
//!
//! With `--eager` files are read as by `read_avro`, otherwise as by a scan.
//! Each group of files is one read. Its tasks are cut as for 1, 2, 4 ... 128 threads, run one after the other, and their
//! times replayed: who claims what and when, the lock, turns, `threads + AHEAD`, the ramp (which is in the tasks), the
//! consumer. Memory bandwidth and shared caches are not simulated: how much slower two reads are that know nothing of
//! one another is measured, and the prediction for two threads takes it into account.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

#[path = "cores/queue.rs"]
mod queue;

use std::ops::Range;
use std::process::Command;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use polars_avro::{Batch, FileInput, FileSet, OpenOptions, ReadOptions, TaskTimes, Times, set_thread_pool_size};

use queue::Queue;

/// The wheel's; with the feature `python` the library brings it itself.
#[cfg(not(feature = "python"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Has the allocator keep all memory; it looks at this before `main`. How many pages it gave back and gets anew differs from
/// read to read.
const KEEPS_MEMORY: &str = "MIMALLOC_PURGE_DELAY";

/// How often files are read in each way: as many times as one thread does in `SECONDS`, within these bounds. Of whole reads
/// the median counts; of each task the quickest, as whatever else the machine does makes it slower.
const ROUNDS: std::ops::RangeInclusive<usize> = 9..=60;
const SECONDS: f64 = 9.0;

const THREADS: [usize; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

fn main() {
    if std::env::var_os(KEEPS_MEMORY).is_none() {
        let this = std::env::current_exe().unwrap();
        let status = Command::new(this).args(std::env::args_os().skip(1)).env(KEEPS_MEMORY, "-1").status().unwrap();
        std::process::exit(status.code().unwrap_or(1));
    }
    set_thread_pool_size(2);
    let (flags, args): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let eager = flags.iter().any(|flag| flag == "--eager");
    for group in args.split(|arg| arg == ",").filter(|group| !group.is_empty()) {
        show(&Part { files: group.to_vec(), range: None, eager });
    }
}

/// A read that has ended.
struct Read {
    took: Duration,
    times: Times,
    tasks: Vec<TaskTimes>,
    batches: Vec<Batch>,
}

/// Files, or a range of one.
#[derive(Clone)]
struct Part {
    files: Vec<String>,
    range: Option<Range<u64>>,
    eager: bool,
}

impl Part {
    /// Reads and keeps the batches, as whole reads do: who drops them gives memory to the thread that decodes next, if it is
    /// the same one, and takes it from that thread's caches, if it is another.
    fn read(&self, threads: usize, simulated: Option<usize>) -> Read {
        let start = Instant::now();
        let inputs: Vec<_> = self.files.iter().map(|path| FileInput::Path(path.into())).collect();
        let set = FileSet::new(inputs, &OpenOptions::default()).unwrap();
        let mut options = ReadOptions::default().with_byte_range(self.range.clone()).with_eager(self.eager);
        options.n_threads = Some(threads);
        options.simulated_threads = simulated;
        let mut reader = set.read(&options).unwrap();
        let batches = reader.by_ref().map(Result::unwrap).collect();
        Read { took: start.elapsed(), times: reader.stats().times, tasks: reader.task_times(), batches }
    }

    fn rows(&self) -> usize {
        self.read(1, None).batches.iter().map(|batch| batch.height).sum()
    }

    /// Two parts of half the rows each, unless there is but one block.
    fn halves(&self) -> Option<[Self; 2]> {
        let (files, half) = (&self.files, self.files.len() / 2);
        let bytes = std::fs::metadata(&files[0]).unwrap().len();
        let part = |files: &[String], range| Self { files: files.to_vec(), range, eager: self.eager };
        let halves = if half > 0 {
            [part(&files[..half], None), part(&files[half..], None)]
        } else {
            [part(files, Some(0..bytes / 2)), part(files, Some(bytes / 2..u64::MAX))]
        };
        let [one, other] = [halves[0].rows() as f64, halves[1].rows() as f64];
        ((one / other - 1.0).abs() < 0.05).then_some(halves)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The tasks of a read on so many threads.
struct Tasks {
    threads: usize,
    /// The least times of each task.
    tasks: Vec<TaskTimes>,
    /// The consumer's time for each.
    consumer: Duration,
    /// How long all of them take one after the other, in each round.
    totals: Vec<f64>,
    eager: bool,
}

impl Tasks {
    /// The tasks of several reads, for each number of threads; the reads are made in turn.
    fn of(part: &Part, rounds: usize) -> Vec<Self> {
        let (consumer, eager) = (Duration::MAX, part.eager);
        let new = |threads| Self { threads, tasks: Vec::new(), consumer, totals: Vec::new(), eager };
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
        self.totals.push(self.queue(1, consumer).run(&tasks).as_secs_f64());
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

    fn queue(&self, threads: usize, consumer: Duration) -> Queue {
        Queue::new(threads, consumer, self.eager)
    }

    /// How long they take on as many threads, and how many times as long one after the other.
    fn replay(&self) -> (f64, f64) {
        let end = self.queue(self.threads, self.consumer).run(&self.tasks).as_secs_f64();
        (end, self.queue(1, self.consumer).run(&self.tasks).as_secs_f64() / end)
    }

    /// How many times as long as these the tasks of a read on one thread take, one after the other: they are cut otherwise.
    fn spared(&self, one: &Self) -> f64 {
        median(one.totals.iter().zip(&self.totals).map(|(one, all)| one / all).collect())
    }
}

/// How long a whole read takes, after one like it: memory that other threads have let go of would have to be got anew.
fn seconds(part: &Part, threads: usize) -> f64 {
    drop(part.read(threads, None));
    part.read(threads, None).took.as_secs_f64()
}

/// How long two reads that know nothing of one another take at the same time, on average.
fn seconds_beside(parts: &[Part; 2]) -> f64 {
    let both = Barrier::new(2);
    let alone = |part: &Part| {
        drop(part.read(1, None));
        both.wait();
        let read = part.read(1, None);
        both.wait();
        read.took.as_secs_f64()
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| alone(&parts[0]));
        f64::midpoint(alone(&parts[1]), other.join().unwrap())
    })
}

/// How many times as fast the halves are read at the same time as one after the other, and the whole on two threads as on
/// one. What cannot be halved is read twice.
fn measured(whole: &Part, rounds: usize) -> [f64; 2] {
    let (mut beside, mut on_two) = (Vec::new(), Vec::new());
    let (parts, times) = whole.halves().map_or_else(|| ([whole.clone(), whole.clone()], 2.0), |halves| (halves, 1.0));
    for _ in 0..rounds {
        let alone = seconds(whole, 1);
        on_two.push(alone / seconds(whole, 2));
        beside.push(times * alone / seconds_beside(&parts));
    }
    [median(beside), median(on_two)]
}

fn show(whole: &Part) {
    let files = &whole.files;
    println!("{}{}", files[0], if files.len() > 1 { format!(" and {} more", files.len() - 1) } else { String::new() });
    let rounds = (SECONDS / whole.read(1, None).took.as_secs_f64()) as usize;
    let rounds = rounds.clamp(*ROUNDS.start(), *ROUNDS.end());
    let [machine, gained] = measured(whole, rounds);
    let Read { took: alone, times, .. } = whole.read(1, None);
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
    let all = Tasks::of(whole, rounds);
    for tasks in &all {
        let (end, side_by_side) = tasks.replay();
        let speed_up = side_by_side * tasks.spared(&all[0]);
        let locked: Duration = tasks.tasks.iter().map(|task| task.locked).sum();
        let (threads, busiest) = (tasks.threads, 100.0 * locked.as_secs_f64() / end);
        println!("  {threads:>7} {:>9} {speed_up:>10.2} {busiest:>10.1}", tasks.tasks.len());
        if threads == 2 {
            // They have nothing to wait for but the machine.
            let predicted = speed_up * machine / 2.0;
            let off = 100.0 * (gained / predicted - 1.0);
            println!(
                "          halves side by side {machine:.2}, predicted {predicted:.2}, measured {gained:.2} ({off:+.1} %)",
            );
        }
    }
}
