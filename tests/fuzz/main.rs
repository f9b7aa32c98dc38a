//! Hostile bytes by the thousand: valid files, schemas and blocks, damaged by decisions that a seed makes.
//!
//! `POLARS_AVRO_MUTATIONS` says how many there are of each kind.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "helpers are shared with the other tests")]

#[path = "../rust/bad_blocks.rs"]
mod bad_blocks;
#[path = "../rust/choices.rs"]
mod choices;
#[path = "../rust/columns.rs"]
mod columns;
#[path = "../rust/container.rs"]
mod container;
mod corpus;
#[path = "../rust/expected.rs"]
mod expected;
#[path = "../rust/logical.rs"]
mod logical;
mod markers;
mod memory;
mod mutate;
#[path = "../rust/naive.rs"]
mod naive;
#[path = "../rust/schemas.rs"]
mod schemas;
mod seeds;
mod targets;
#[path = "../rust/values.rs"]
mod values;

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use choices::Choices;
use container::CODECS;
use mutate::{apply, edits, is_intact, small_edits};
use seeds::{PLAIN, Seed, make, seed};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// No damage to files of a few kilobytes, within limits of a megabyte, may cost more.
const MOST_MEMORY: usize = 96 << 20;

/// One test at a time: memory is counted for the whole process.
static ALONE: Mutex<()> = Mutex::new(());

fn cases(share: u64) -> u64 {
    let all: u64 = std::env::var("POLARS_AVRO_MUTATIONS").ok().map_or(3000, |cases| cases.parse().unwrap());
    all.div_ceil(share)
}

/// Does something with every number, and says which one it was that failed.
fn each(numbers: impl Iterator<Item = u64>, work: impl Fn(u64)) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for number in numbers {
        let failure = Failure(number);
        let peak = memory::peak(|| work(number));
        assert!(peak < MOST_MEMORY, "{peak} bytes of memory");
        std::mem::forget(failure);
    }
}

struct Failure(u64);

impl Drop for Failure {
    fn drop(&mut self) {
        eprintln!("number {}", self.0);
    }
}

fn salvaged(seed: &Seed, edits: &[mutate::Edit]) {
    if let Some(found) = targets::salvage(&apply(&seed.bytes, edits)) {
        nothing_else_is_lost(seed, edits, &found);
    }
}

/// The blocks that the edits leave alone, each with the marker in front of it, come out in order.
fn nothing_else_is_lost(seed: &Seed, edits: &[mutate::Edit], found: &targets::Rows) {
    let mut rest = found.iter();
    for (place, rows) in &seed.blocks {
        if is_intact(&(place.start - 16..place.end), edits) {
            for row in rows {
                assert!(rest.any(|found| found == row), "block {place:?} is lost: {edits:?}\n{}", seed.json);
            }
        }
    }
    if seed.codec == "snappy" {
        // Its checksum knows every other row.
        let known: HashSet<_> = seed.blocks.iter().flat_map(|(_, rows)| rows).collect();
        assert!(found.iter().all(|row| known.contains(row)), "a row of nowhere: {edits:?}\n{}", seed.json);
    }
}

#[test]
fn damaged_files_are_refused_or_salvaged() {
    each(0..cases(1), |number| {
        let seed = seed(number / 8);
        let edits = edits(&mut Choices::Seed(!number), &seed.bytes, seed.header, &seed.marks());
        targets::file(&apply(&seed.bytes, &edits));
        salvaged(&seed, &edits);
    });
}

/// Large enough to be decoded by several threads.
#[test]
fn large_damaged_files() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for number in 0..cases(300) {
        let failure = Failure(number);
        let choices = &mut Choices::Seed(number);
        let codec = choices.pick(&["null", "null", "deflate", "snappy", "zstandard"]);
        let seed = make(PLAIN, codec, 400, 40, choices);
        let edits = small_edits(choices, 30, &seed.bytes, seed.header, &seed.marks());
        nothing_else_is_lost(&seed, &edits, &targets::shares(&apply(&seed.bytes, &edits), choices));
        std::mem::forget(failure);
    }
}

#[test]
fn every_bit_of_a_small_file() {
    let flips = if std::env::var("POLARS_AVRO_MUTATIONS").is_ok() { 255u8 } else { 8 };
    each(0..CODECS.len() as u64, |number| {
        let json = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"s","type":"string"}]}"#;
        let seed = make(json, CODECS[number as usize], 3, 3, &mut Choices::Seed(7));
        for at in 0..seed.bytes.len() {
            for flip in 0..flips {
                let mask = if flips == 8 { 1 << flip } else { flip + 1 };
                let edit = vec![(at..at + 1, vec![seed.bytes[at] ^ mask])];
                if at < seed.header {
                    targets::file(&apply(&seed.bytes, &edit));
                } else {
                    salvaged(&seed, &edit);
                }
            }
        }
    });
}

#[test]
fn damaged_headers() {
    each(0..cases(4), |number| {
        let seed = seed(number / 8);
        let edits = edits(&mut Choices::Seed(!number), &seed.bytes[..seed.header], 0, &[4, 8, 20]);
        let bytes = [&apply(&seed.bytes[..seed.header], &edits), &seed.bytes[seed.header..]].concat();
        targets::file(&bytes);
        targets::salvage(&bytes);
    });
}

#[test]
fn damaged_schemas() {
    each(0..cases(2), |number| {
        let choices = &mut Choices::Seed(number);
        let json = schemas::schema(choices).to_string();
        let edits = edits(choices, json.as_bytes(), 0, &[1, 9, 20]);
        targets::schema(json.as_bytes());
        targets::schema(&apply(json.as_bytes(), &edits));
    });
}

#[test]
fn damaged_compressed_blocks() {
    each(0..cases(2), |number| {
        let choices = &mut Choices::Seed(number);
        let codec = choices.below(CODECS.len());
        let data = vec![choices.word() as u8; choices.below(300)];
        let block = container::compress(CODECS[codec], &data);
        let block = [&[codec as u8], &apply(&block, &edits(choices, &block, 0, &[0, 4]))[..]].concat();
        targets::block(&block);
    });
}

#[test]
fn damaged_rows_are_decoded_as_the_naive_decoder_decodes_them() {
    each(0..cases(1), |number| {
        let choices = &mut Choices::Seed(number);
        let (schema, count, data) = corpus::rows(choices);
        let data = apply(&data, &edits(choices, &data, 0, &[]));
        targets::decode(&[&[schema, count], &data[..]].concat());
    });
}

#[test]
fn parts_of_damaged_files() {
    each(0..cases(4), |number| {
        let seed = seed(number / 8);
        let choices = &mut Choices::Seed(!number);
        let edits = edits(choices, &seed.bytes, seed.header, &seed.marks());
        let bytes = apply(&seed.bytes, &edits);
        let mut cuts: Vec<_> = (0..choices.below(6)).map(|_| choices.below(bytes.len() + 2) as u64).collect();
        cuts.extend([0, u64::MAX]);
        cuts.sort_unstable();
        targets::splits(&bytes, &cuts);
    });
}
