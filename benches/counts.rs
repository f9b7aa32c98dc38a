//! Guards the speed of reads and writes: counts the instructions of each on one thread, and compares them with the record.
//!
//! ```sh
//! cargo bench --bench counts                # fails if a count exceeds the record by more than 2 %
//! cargo bench --bench counts -- --record    # writes the record anew
//! cargo bench --bench counts -- nullable    # the cases whose names contain this
//! ```
//!
//! Callgrind runs this binary once for every case and collects only inside [`counted`]. Instructions vary by less than
//! 0.1 % from run to run, which no measurement of time on a shared machine does. Kernel time, caches and branch misses
//! are not counted: a change that trades instructions for memory accesses still has to be timed.
//!
//! Each case leaves its profile in `target/counts/NAME.callgrind`, ready for `callgrind_annotate`.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

#[path = "counts/cases.rs"]
mod cases;
#[expect(dead_code, reason = "the tests decide with it too")]
#[path = "../tests/rust/choices.rs"]
mod choices;
#[expect(dead_code, reason = "the tests read with it too")]
#[path = "../tests/rust/container.rs"]
mod container;
#[expect(dead_code, reason = "`kernel` has further files")]
#[path = "kernel/files.rs"]
mod files;
#[path = "counts/inputs.rs"]
mod inputs;
#[path = "kernel/kinds.rs"]
mod kinds;
#[expect(dead_code, reason = "`container` reads with it in the tests")]
#[path = "../tests/rust/naive.rs"]
mod naive;
#[path = "counts/record.rs"]
mod record;

use std::path::{Path, PathBuf};
use std::process::{Command, exit};

use cases::{CASES, Prepared};
use record::Record;

/// The allocator of the wheel.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Names the case in a process that Callgrind runs.
const CASE: &str = "POLARS_AVRO_COUNTED_CASE";

fn main() {
    polars_avro::set_thread_pool_size(1);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("counts");
    if let Ok(name) = std::env::var(CASE) {
        let case = CASES.iter().find(|case| case.name == name).unwrap();
        let prepared = (case.prepare)(&folder);
        // The first run fills caches that a process fills once.
        (case.run)(&prepared);
        return counted(case.run, &prepared);
    }
    std::fs::create_dir_all(&folder).unwrap();
    inputs::write(&folder);
    let (flags, names): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let is_wanted = |name: &str| names.is_empty() || names.iter().any(|part| name.contains(part.as_str()));
    let wanted = CASES.iter().map(|case| case.name).filter(|name| is_wanted(name));
    let counts: Vec<_> = wanted.map(|name| (name, count(name, &folder))).collect();
    if flags.iter().any(|flag| flag == "--record") {
        Record::read().write(&counts);
    } else if !Record::read().holds(&counts) {
        exit(1);
    }
}

/// Everything that Callgrind collects.
#[inline(never)]
fn counted(run: fn(&Prepared), prepared: &Prepared) {
    run(std::hint::black_box(prepared));
}

/// Runs a case under Callgrind and returns the instructions inside [`counted`].
fn count(name: &str, folder: &Path) -> u64 {
    let profile = folder.join(name.replace(", ", " ").replace(' ', "_") + ".callgrind");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=counts::counted*"]);
    valgrind.arg(format!("--callgrind-out-file={}", profile.display()));
    let output = valgrind.arg(std::env::current_exe().unwrap()).env(CASE, name).output().expect("valgrind is needed");
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {messages}");
    let count = messages.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = count.unwrap_or_else(|| panic!("{name}: Callgrind says nothing of a count: {messages}"));
    count.trim().parse().unwrap()
}
