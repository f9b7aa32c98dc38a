//! Parts of a file by bytes: whatever the parts, every row is in one of them.

use polars_avro::{ContainerFile, ErrorKind, ReadOptions};

use super::ignore_errors::{places, rows_of};
use super::{field, offset_of, rows};
use crate::bad_blocks;
use crate::choices::Choices;
use crate::container::{CODECS, Container, SYNC, put_bytes, varint};
use crate::differential::{open, read};
use crate::expected::Cell;

fn part(start: u64, stop: u64) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.byte_range = Some(start..stop);
    options
}

/// The same part with its damaged blocks left out.
fn sound_part(start: u64, stop: u64) -> ReadOptions {
    let mut options = part(start, stop);
    options.ignore_errors = true;
    options
}

/// The rows of each part, one behind the other.
fn parts(file: &ContainerFile, cuts: &[u64]) -> Vec<Vec<Cell>> {
    cuts.windows(2).flat_map(|cut| read(file, &part(cut[0], cut[1])).unwrap().rows).collect()
}

/// Cuts of a file of `size` bytes: anywhere, next to one another, beyond its end.
pub(super) fn tiling(choices: &mut Choices, size: u64) -> Vec<u64> {
    let mut cuts: Vec<_> = (0..choices.below(9)).map(|_| choices.below(size as usize + 20) as u64).collect();
    if choices.one_in(2) {
        cuts.extend(cuts.clone().iter().map(|cut| cut + 1));
    }
    cuts.extend([0, u64::MAX]);
    cuts.sort_unstable();
    cuts
}

/// Blocks of any number of rows, none included; one in four has the marker inside a value.
fn random(choices: &mut Choices) -> Container {
    let mut file =
        Container::new(r#"{"type":"record","name":"R","fields":[{"name":"a","type":"bytes"}]}"#, choices.pick(&CODECS));
    let mut number = 0;
    for _ in 0..choices.below(12) {
        let (mut data, count) = (Vec::new(), choices.below(5));
        for _ in 0..count {
            let mut value = varint(number);
            if choices.one_in(4) {
                value.extend([&[1][..], &SYNC, &[0xFF, 0xFF]].concat());
            }
            put_bytes(&mut data, &value);
            number += 1;
        }
        file = file.block(count as i64, data);
    }
    file
}

#[test]
fn parts_that_tile_a_file_give_every_row_once() {
    for seed in 0..200 {
        let choices = &mut Choices::Seed(seed);
        let file = random(choices);
        let (whole, bytes) = (rows(&file), file.build());
        let opened = open(bytes.clone()).unwrap();
        for _ in 0..8 {
            let cuts = tiling(choices, bytes.len() as u64);
            assert_eq!(parts(&opened, &cuts), whole, "seed {seed}: {cuts:?}");
        }
        assert_eq!(parts(&opened, &(0..=bytes.len() as u64).collect::<Vec<_>>()), whole, "seed {seed}: every byte");
    }
}

#[test]
fn a_part_has_the_blocks_whose_markers_begin_in_it() {
    let file = (0..4).fold(field("\"int\""), |file, block| file.block(1, varint(block)));
    let opened = open(file.build()).unwrap();
    let marker = |block: u64| offset_of(&file, block) - 16;
    for first in 0..5 {
        for last in first..5 {
            let table = read(&opened, &part(marker(first), marker(last))).unwrap();
            let expected: Vec<_> = (first..last.min(4)).map(|block| vec![Cell::Int32(block as i32)]).collect();
            assert_eq!(table.rows, expected, "{first} to {last}");
        }
        let late = read(&opened, &part(marker(first) + 1, u64::MAX)).unwrap();
        assert_eq!(late.rows.len(), 3usize.saturating_sub(first as usize));
    }
    let backwards = read(&opened, &part(marker(3), marker(1))).unwrap();
    assert_eq!(backwards.rows.len(), 0);
}

#[test]
fn rows_are_counted_from_the_first_of_the_part() {
    let file = (0..4).fold(field("\"int\""), |file, block| file.block(2, [varint(block), varint(block)].concat()));
    let mut options = part(offset_of(&file, 1) - 16, u64::MAX);
    (options.offset, options.length, options.row_index) = (1, Some(2), Some(("n".into(), 0)));
    let table = read(&open(file.build()).unwrap(), &options).unwrap();
    assert_eq!(table.rows, [[Cell::UInt32(1), Cell::Int32(1)], [Cell::UInt32(2), Cell::Int32(2)]]);
}

/// Damage is in one of the parts, and no part passes over it in silence.
#[test]
fn damage_is_an_error_of_its_part() {
    let file = (0..6).fold(field("\"int\""), |file, block| file.block(1, varint(block)));
    for bad in 0..6 {
        for damage in 0..3 {
            let mut file = file.clone();
            let block = &mut file.blocks[bad];
            match damage {
                0 => block.count = -1,
                1 => block.size = 1 << 30,
                _ => block.bytes = vec![0xFF],
            }
            let opened = open(file.build()).unwrap();
            let mut failed = Vec::new();
            for at in 0..6 {
                let (start, stop) = (offset_of(&file, at) - 16, offset_of(&file, at + 1) - 16);
                match read(&opened, &part(start, stop)) {
                    Ok(table) => assert_eq!(table.rows, [[Cell::Int32(at as i32)]]),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Data);
                        failed.push(at as usize);
                    }
                }
            }
            assert_eq!(failed, [bad], "{damage}");
        }
    }
}

/// Parts of a damaged file have every sound block once, and report every bad one once.
#[test]
fn parts_of_a_damaged_file_are_salvaged_once() {
    for seed in 0..150 {
        let choices = &mut Choices::Seed(seed);
        let mut file = super::ignore_errors::counted(9, choices.pick(&CODECS));
        for _ in 0..=choices.below(3) {
            let at = choices.below(9);
            match choices.below(4) {
                0 => file.blocks[at].count = -1,
                1 => file.blocks[at].size += 1,
                2 => file.blocks[at].bytes.fill(0xFF),
                _ => file.blocks[at].sync[5] ^= 1,
            }
        }
        let bytes = file.build();
        let opened = open(bytes.clone()).unwrap();
        let mut options = ReadOptions::default();
        options.ignore_errors = true;
        let (whole, reports) = bad_blocks::read(&opened, &options).unwrap();
        assert!(whole.len() >= rows_of(0..9).len() - 9);
        let (mut rows, mut bad) = (Vec::new(), Vec::new());
        let mut cuts = tiling(choices, bytes.len() as u64);
        for _ in 0..choices.below(3) {
            cuts.push(offset_of(&file, choices.below(9) as u64) - 16);
        }
        cuts.sort_unstable();
        for cut in cuts.windows(2) {
            options.byte_range = Some(cut[0]..cut[1]);
            let (part, reports) = bad_blocks::read(&opened, &options).unwrap();
            rows.extend(part);
            bad.extend(places(&reports));
        }
        assert_eq!(rows, whole, "seed {seed}: {cuts:?}");
        assert_eq!(bad, places(&reports), "seed {seed}: {cuts:?}");
    }
}

/// The block in front of a damaged marker is lost, not the one behind it.
#[test]
fn a_part_that_begins_with_a_damaged_block_finds_the_next_one() {
    for codec in CODECS {
        let mut file = super::ignore_errors::counted(4, codec);
        file.blocks[1].sync[5] ^= 1;
        let opened = open(file.build()).unwrap();
        let read = |start: u64, stop: u64| {
            let (rows, bad) = bad_blocks::read(&opened, &sound_part(start, stop)).unwrap();
            (rows, places(&bad))
        };
        let marker = |block: u64| offset_of(&file, block) - 16;
        let bad = vec![(1, offset_of(&file, 1), None)];
        assert_eq!(read(0, u64::MAX), (rows_of([0, 2, 3]), bad.clone()), "{codec}");
        assert_eq!(read(marker(1), u64::MAX), (rows_of([2, 3]), bad.clone()), "{codec}");
        assert_eq!(read(0, marker(1)), (rows_of([0]), vec![]), "{codec}");
        assert_eq!(read(marker(1), marker(2)), (rows_of([2]), bad), "{codec}");
        assert_eq!(read(marker(2), u64::MAX), (rows_of([3]), vec![]), "{codec}");
    }
}

/// Errors and reports of a part number its blocks as those of the whole file do.
#[test]
fn blocks_of_a_part_are_numbered_from_the_files_first() {
    for damaged_before in [false, true] {
        let mut file = super::ignore_errors::counted(7, "null");
        file.blocks[5].bytes.fill(0xFF);
        if damaged_before {
            file.blocks[1].size = -1;
        }
        let opened = open(file.build()).unwrap();
        for first in 2..6 {
            let start = offset_of(&file, first) - 16;
            let error = read(&opened, &part(start, u64::MAX)).unwrap_err();
            assert_eq!((error.position().block, error.position().offset), (Some(5), Some(offset_of(&file, 5))));
            assert!(error.to_string().contains("block 5 at byte"), "{error}");
            let (_, bad) = bad_blocks::read(&opened, &sound_part(start, u64::MAX)).unwrap();
            assert_eq!(places(&bad), [(5, offset_of(&file, 5), Some(3))]);
        }
    }
}
