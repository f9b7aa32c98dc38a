//! What libFuzzer's inputs are made into, and the bounds that each must keep. The targets themselves are those of the
//! tests in `tests/fuzz`.

#![allow(dead_code, reason = "helpers are shared with the tests")]

#[path = "../../rust/bad_blocks.rs"]
mod bad_blocks;
#[path = "../../rust/choices.rs"]
mod choices;
#[path = "../../rust/columns.rs"]
mod columns;
#[path = "../../rust/container.rs"]
mod container;
#[path = "../../rust/expected.rs"]
mod expected;
#[path = "arrow/mod.rs"]
mod foreign;
mod frames;
#[path = "../../rust/logical.rs"]
mod logical;
#[path = "../markers.rs"]
mod markers;
#[path = "../memory.rs"]
mod memory;
#[path = "../../rust/naive.rs"]
mod naive;
#[path = "../../rust/schemas.rs"]
mod schemas;
#[path = "../seeds.rs"]
mod seeds;
#[path = "../targets.rs"]
mod targets;
#[path = "../../rust/values.rs"]
mod values;

pub use frames::mutate;

use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// How many bytes in front of a file say where to cut it.
pub const CUTS: usize = targets::CUTS;

/// Inputs have a few kilobytes.
const MOST_MEMORY: usize = 96 << 20;
const MOST_TIME: Duration = Duration::from_secs(1);

/// A whole file, read strictly.
pub fn header(bytes: &[u8]) {
    bounded(|| drop(targets::file(bytes)));
}

/// The JSON of a schema.
pub fn schema(bytes: &[u8]) {
    bounded(|| targets::schema(bytes));
}

/// A codec and a compressed block.
pub fn block(bytes: &[u8]) {
    bounded(|| targets::block(bytes));
}

/// A schema's number, a row count and rows.
pub fn decode(bytes: &[u8]) {
    bounded(|| targets::decode(bytes));
}

/// A whole file, damage left out.
pub fn salvage(bytes: &[u8]) {
    bounded(|| drop(targets::salvage(bytes)));
}

/// Places to cut at, and a whole file.
pub fn splits(bytes: &[u8]) {
    bounded(|| targets::cut(bytes));
}

/// Decisions of a producer of Arrow arrays.
pub fn arrow(bytes: &[u8]) {
    bounded(|| foreign::import(bytes));
}

/// Nothing of this size takes so much memory or time. A process that was stopped for a while took time once, not thrice.
fn bounded(work: impl Fn()) {
    for again in 0..3 {
        let start = Instant::now();
        let peak = memory::peak(&work);
        assert!(peak < MOST_MEMORY, "{peak} bytes of memory");
        if start.elapsed() < MOST_TIME {
            return;
        }
        assert!(again < 2, "{:?}", start.elapsed());
    }
}
