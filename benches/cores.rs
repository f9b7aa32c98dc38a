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

#[path = "cores/bare.rs"]
mod bare;
#[path = "cores/measured.rs"]
mod measured;
#[expect(dead_code, reason = "the tests decode with it too")]
#[path = "../tests/rust/naive.rs"]
mod naive;
#[path = "cores/part.rs"]
mod part;
#[path = "cores/queue.rs"]
mod queue;
#[path = "cores/tasks.rs"]
mod tasks;

use std::process::Command;
use std::time::Duration;

use polars_avro::set_thread_pool_size;

use measured::Measured;
use part::{Part, Read};
use tasks::Tasks;

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

fn main() {
    if std::env::var_os(KEEPS_MEMORY).is_none() {
        let this = std::env::current_exe().unwrap();
        let status = Command::new(this).args(std::env::args_os().skip(1)).env(KEEPS_MEMORY, "-1").status().unwrap();
        std::process::exit(status.code().unwrap_or(1));
    }
    set_thread_pool_size(2);
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    for group in args.split(|arg| arg == ",").filter(|group| !group.is_empty()) {
        show(&Part { files: group.to_vec(), range: None });
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn show(whole: &Part) {
    let files = &whole.files;
    println!("{}{}", files[0], if files.len() > 1 { format!(" and {} more", files.len() - 1) } else { String::new() });
    let rounds = (SECONDS / whole.read(1, None).took.as_secs_f64()) as usize;
    let rounds = rounds.clamp(*ROUNDS.start(), *ROUNDS.end());
    let Measured { halves, bare, read: gained } = Measured::of(whole, rounds);
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
            let predicted = speed_up * halves / 2.0;
            let off = 100.0 * (gained / predicted - 1.0);
            let bare = bare.map_or_else(String::new, |bare| format!(", bare decoding {bare:.2}"));
            println!(
                "          predicted {predicted:.2}, measured {gained:.2} ({off:+.1} %); halves {halves:.2}{bare}"
            );
        }
    }
}
