//! Tests of the frames that a walk returns, and of the bytes that it reads for them.

use super::*;
use crate::source::CountingSource;
use crate::{ErrorKind, MemorySource};

const SYNC: [u8; 16] = *b"0123456789abcdef";

fn put_long(value: u64, bytes: &mut Vec<u8>) {
    let mut zigzag = value << 1;
    while zigzag >= 0x80 {
        bytes.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    bytes.push(zigzag as u8);
}

/// Returns seven bytes in place of a header, then blocks of these rows and sizes.
fn file(blocks: &[(u64, usize)]) -> Vec<u8> {
    let mut bytes = b"header.".to_vec();
    for &(rows, size) in blocks {
        put_long(rows, &mut bytes);
        put_long(size as u64, &mut bytes);
        bytes.resize(bytes.len() + size, 0xEE);
        bytes.extend_from_slice(&SYNC);
    }
    bytes
}

fn walk() -> BlockWalk {
    BlockWalk::behind(SYNC, 7)
}

/// Blocks and rows of a whole file.
fn totals(source: &dyn Source) -> Result<(u64, u64)> {
    let (mut walk, mut blocks, mut rows) = (walk(), 0, 0);
    while let Some(frame) = walk.next_frame(source)? {
        (blocks, rows) = (blocks + 1, rows + frame.rows);
    }
    Ok((blocks, rows))
}

#[test]
fn every_frame_is_seen_once_and_in_order() {
    let blocks = [(3, 200), (0, 0), (1_000_000, 100_000), (5, 5), (0, 7), (9, 70_000), (1, 1)];
    let source = CountingSource::new(file(&blocks));
    let (mut walk, mut seen) = (walk(), Vec::new());
    let mut offset = 7;
    while let Some(frame) = walk.next_frame(&source).unwrap() {
        assert_eq!((frame.index, frame.offset), (seen.len() as u64, offset));
        seen.push((frame.rows, (frame.data.end - frame.data.start) as usize));
        offset = frame.end();
        assert_eq!((walk.index, walk.offset), (seen.len() as u64, offset));
    }
    assert_eq!(seen, blocks);
    assert_eq!(offset, source.size());
    assert_eq!(walk.next_frame(&source).unwrap(), None, "the end stays the end");
}

#[test]
fn a_file_without_blocks_ends_at_once() {
    let source = CountingSource::new(file(&[]));
    assert_eq!(totals(&source).unwrap(), (0, 0));
}

#[test]
fn large_blocks_are_jumped_over_and_small_ones_are_read() {
    let large = CountingSource::new(file(&[(100, 16_000); 50]));
    assert_eq!(totals(&large).unwrap(), (50, 5000));
    assert_eq!(large.bytes(), 50 * STEP + SYNC_BYTES);
    let small = CountingSource::new(file(&vec![(10, 100); 5000]));
    assert_eq!(totals(&small).unwrap(), (5000, 50_000));
    assert!(small.reads() <= 12, "{}", small.reads());
}

#[test]
fn only_the_end_of_a_block_is_a_good_end() {
    let blocks = [(3, 20), (300, 40), (2, 5000)];
    let bytes = file(&blocks);
    let ends: Vec<usize> = (0..=3).map(|count| file(&blocks[..count]).len()).collect();
    for len in 7..bytes.len() {
        let source = CountingSource::new(bytes[..len].to_vec());
        match totals(&source) {
            Ok((blocks, _)) => assert_eq!(Some(blocks as usize), ends.iter().position(|&end| end == len)),
            Err(error) => {
                assert!(!ends.contains(&len), "{len}: {error}");
                assert_eq!(error.kind(), ErrorKind::Data);
                assert!(error.to_string().starts_with("counted.avro: block "), "{error}");
            }
        }
    }
}

#[test]
fn every_sync_marker_is_checked_the_last_one_too() {
    let blocks = [(3, 20), (3, 9000), (3, 20)];
    let bytes = file(&blocks);
    for (index, length) in [(0u64, 1), (1, 2), (2, 3)] {
        let mut damaged = bytes.clone();
        let end = file(&blocks[..length]).len();
        damaged[end - 1] ^= 1;
        let source = CountingSource::new(damaged);
        let error = totals(&source).unwrap_err();
        assert_eq!(error.position().block, Some(index));
        assert!(error.message().contains(&format!("at byte {}", end - 16)), "{error}");
    }
}

#[test]
fn a_walk_stands_still_at_damage() {
    let mut bytes = file(&[(3, 20), (3, 20)]);
    bytes[44] ^= 1;
    let source = CountingSource::new(bytes);
    let mut walk = walk();
    walk.next_frame(&source).unwrap().unwrap();
    let first = walk.next_frame(&source).unwrap_err().to_string();
    assert_eq!(walk.next_frame(&source).unwrap_err().to_string(), first);
}

#[test]
fn a_file_that_shrinks_during_the_walk_is_refused() {
    struct Shrunk(MemorySource);
    impl Source for Shrunk {
        fn name(&self) -> &'static str {
            "shrunk.avro"
        }
        fn size(&self) -> u64 {
            self.0.size() + 1000
        }
        fn read_at(&self, offset: u64, len: usize) -> Result<Buffer<u8>> {
            self.0.read_at(offset, len)
        }
    }
    let bytes = file(&[(3, 20)]);
    for len in 7..=bytes.len() {
        let error = totals(&Shrunk(MemorySource::new(bytes[..len].to_vec()))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(error.message().contains("cut short while it was read"), "{len}: {error}");
    }
}
