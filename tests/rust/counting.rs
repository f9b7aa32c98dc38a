//! Counting rows by block headers, on one thread and on several.

use polars_avro::{ErrorKind, ReadOptions, Result};

use crate::container::{Container, SYNC};
use crate::differential::open;

const BLOCKS: i64 = 1600;

/// Blocks of different sizes, some 16 MB in all; nothing in them is a record. `data` may change the bytes of each.
fn file(data: impl Fn(i64, &mut Vec<u8>)) -> Container {
    let mut container = Container::new("\"string\"", "null");
    for block in 0..BLOCKS {
        let mut bytes = vec![block as u8; 9_000 + (block * 37 % 4_000) as usize];
        data(block, &mut bytes);
        container = container.block(block, bytes);
    }
    container
}

/// What counting says, all ways of it, which have to agree.
fn count(file: &[u8]) -> Result<u64> {
    let (rows, walked) = (open(file.to_vec())?.count_rows(None), open(file.to_vec())?.count_rows(Some(u64::MAX - 1)));
    let file = open(file.to_vec())?;
    match (rows, walked) {
        (Ok(rows), Ok(walked)) => {
            assert_eq!(rows, walked);
            assert_eq!(file.count_blocks()?.1, rows);
            Ok(rows)
        }
        (Err(error), Err(other)) => {
            assert_eq!(error.to_string(), other.to_string());
            Err(error)
        }
        (rows, walked) => panic!("{rows:?}, but {walked:?}"),
    }
}

const ROWS: u64 = (BLOCKS * (BLOCKS - 1) / 2) as u64;

#[test]
fn large_files_are_counted_like_small_ones() {
    let container = file(|_, _| {});
    let bytes = container.build();
    assert!(bytes.len() > 16 << 20, "too small for several threads");
    assert_eq!(count(&bytes).unwrap(), ROWS);
    assert_eq!(open(bytes).unwrap().count_blocks().unwrap(), (BLOCKS as u64, ROWS));
}

#[test]
fn data_that_looks_like_a_marker_is_data() {
    // Behind the marker something that looks like the header of a block, too: of 32 rows in 0 bytes, and a marker.
    let fake = [&SYNC[..], &[64, 0], &SYNC[..]].concat();
    let every = file(|_, bytes| bytes[5_000..5_034].copy_from_slice(&fake)).build();
    assert_eq!(count(&every).unwrap(), ROWS);
    let at_the_start = file(|_, bytes| bytes[..34].copy_from_slice(&fake)).build();
    assert_eq!(count(&at_the_start).unwrap(), ROWS);
}

#[test]
fn damage_anywhere_is_found_and_named() {
    for damaged in [0, 1, 400, 749, 750, 751, 1100, 1599] {
        let mut container = file(|_, _| {});
        container.blocks[damaged].sync[3] ^= 1;
        let error = count(&container.build()).unwrap_err();
        assert_eq!((error.kind(), error.position().block), (ErrorKind::Data, Some(damaged as u64)));
        let mut container = file(|_, _| {});
        container.blocks[damaged].count = -1;
        let error = count(&container.build()).unwrap_err();
        assert_eq!(error.position().block, Some(damaged as u64));
    }
    let mut bytes = file(|_, _| {}).build();
    bytes.pop();
    assert_eq!(count(&bytes).unwrap_err().position().block, Some(1599));
}

#[test]
fn more_than_64_bits_of_rows_are_refused() {
    let mut container = file(|_, _| {});
    for at in [10, 700] {
        container.blocks[at].count = i64::MAX;
    }
    let file = open(container.build()).unwrap();
    let error = file.count_rows(None).unwrap_err();
    assert_eq!((error.kind(), error.position().block), (ErrorKind::Data, Some(700)));
}

#[test]
fn counting_goes_on_where_it_stopped() {
    let file = open(file(|_, _| {}).build()).unwrap();
    let mut before = 0;
    for limit in [0, 1, 2, 500, 501, 300_000, 300_000, 1, 1_000_000, ROWS, u64::MAX] {
        let rows = file.count_rows(Some(limit)).unwrap();
        assert!(rows >= limit.min(ROWS).max(before) && rows <= ROWS, "{limit}: {rows}");
        before = rows;
    }
    assert_eq!(before, ROWS);
}

#[test]
fn damage_behind_the_limit_is_not_looked_for() {
    let mut container = file(|_, _| {});
    container.blocks[1500].count = -1;
    let bytes = container.build();
    let rows = |blocks: i64| (blocks * (blocks - 1) / 2) as u64;
    assert_eq!(open(bytes.clone()).unwrap().count_rows(Some(rows(1500))).unwrap(), rows(1500));
    assert_eq!(open(bytes).unwrap().count_rows(Some(rows(1500) + 1)).unwrap_err().position().block, Some(1500));
}

#[test]
fn a_few_huge_blocks_are_counted() {
    let mut container = Container::new("\"string\"", "null");
    for rows in [3, 0, 5] {
        container = container.block(rows, vec![7; 7 << 20]);
    }
    assert_eq!(count(&container.build()).unwrap(), 8);
}

#[test]
fn a_file_that_is_counted_as_empty_is_read() {
    let bytes = Container::new("\"string\"", "null").block(0, [9, 9, 9]).build();
    let file = open(bytes).unwrap();
    let options = ReadOptions::default().with_strict(true);
    let read = || file.read(&options).unwrap().find_map(Result::err).map(|error| error.kind());
    assert_eq!(read(), Some(ErrorKind::Data));
    assert_eq!(file.count_rows(None).unwrap(), 0);
    assert_eq!(read(), Some(ErrorKind::Data));
}
