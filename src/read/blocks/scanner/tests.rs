//! Tests of finding sync markers, and blocks after damage.

use super::*;
use crate::MemorySource;
use crate::source::CountingSource;

const SYNC: [u8; 16] = *b"0123456789abcdef";

/// Returns a block of one row with this much data.
fn block(data: &[u8]) -> Vec<u8> {
    assert!(data.len() < 64);
    [&[2, data.len() as u8 * 2], data, &SYNC].concat()
}

fn resume_after(bytes: &[u8], damaged: usize) -> usize {
    let source = MemorySource::new(bytes.to_vec());
    SyncScanner::new(&source, &SYNC).find(damaged as u64, u64::MAX).unwrap().unwrap().offset as usize
}

#[test]
fn a_marker_is_found_wherever_it_stands() {
    for len in [16, 17, 40, 100, 200] {
        for position in 0..=len - 16 {
            let mut bytes = vec![b'0'; len];
            bytes[position..position + 16].copy_from_slice(&SYNC);
            let source = MemorySource::new(bytes);
            for window in [16, 17, 31, 64, 1000] {
                let scanner = SyncScanner::with_window(&source, &SYNC, window);
                assert_eq!(scanner.marker(0, u64::MAX).unwrap(), Some(position as u64), "{len} {position} {window}");
                assert_eq!(scanner.marker(position as u64, u64::MAX).unwrap(), Some(position as u64));
                assert_eq!(scanner.marker(position as u64 + 1, u64::MAX).unwrap(), None);
            }
        }
    }
}

#[test]
fn markers_without_blocks_are_read_once() {
    for window in [64, 1000, READ_BYTES as usize] {
        let source = CountingSource::new(SYNC.repeat(2000));
        let scanner = SyncScanner::with_window(&source, &SYNC, window);
        assert_eq!(scanner.find(0, u64::MAX).unwrap().unwrap().offset, 32_000);
        let read = source.bytes();
        assert!(read < 3 * 32_000, "{read} bytes with windows of {window}");
    }
}

#[test]
fn a_marker_that_is_near_costs_little() {
    let source = CountingSource::new(SYNC.repeat(20_000));
    assert_eq!(SyncScanner::new(&source, &SYNC).marker(1, u64::MAX).unwrap(), Some(16));
    assert_eq!(source.bytes(), READ_BYTES as usize);
}

#[test]
fn half_a_marker_is_none() {
    let source = MemorySource::new(SYNC[..15].to_vec());
    let scanner = SyncScanner::new(&source, &SYNC);
    assert_eq!(scanner.marker(0, u64::MAX).unwrap(), None);
    assert_eq!(scanner.marker(u64::MAX, u64::MAX).unwrap(), None);
}

#[test]
fn reading_goes_on_behind_a_marker() {
    let (mut bad, good) = (block(b"one"), block(b"two"));
    bad[1] = 0xFF;
    assert_eq!(resume_after(&[bad.clone(), good].concat(), 0), bad.len());
    assert_eq!(resume_after(&bad, 0), bad.len(), "the end of the file");
    assert_eq!(resume_after(&bad[..bad.len() - 1], 0), bad.len() - 1, "no marker at all");
}

#[test]
fn a_marker_inside_data_is_passed_over() {
    let inside = [b"data ", &SYNC[..], b" \xFF\xFF and more"].concat();
    let (mut first, good) = (block(&inside), block(b"two"));
    first[1] = 0xFF;
    assert_eq!(resume_after(&[first.clone(), good].concat(), 0), first.len());
}

#[test]
fn a_damaged_marker_costs_its_own_block_alone() {
    let (mut first, mut second, third) = (block(b"one"), block(b"two"), block(b"three"));
    *second.last_mut().unwrap() ^= 1;
    let bytes = [first.clone(), second.clone(), third.clone()].concat();
    let start = first.len() + second.len();
    assert_eq!(resume_after(&bytes, first.len()), start);
    // The header that leads there is itself found by a marker.
    first[0] = 0x03;
    let bytes = [first, second, third].concat();
    assert_eq!(resume_after(&bytes, 0), start);
}

#[test]
fn a_search_may_end_before_the_file() {
    let bytes = [vec![0; 300], SYNC.to_vec(), block(b"one"), block(b"two")].concat();
    let source = MemorySource::new(bytes);
    let scanner = SyncScanner::with_window(&source, &SYNC, 32);
    assert_eq!(scanner.find(0, 200).unwrap(), None);
    assert_eq!(scanner.find(0, 301).unwrap(), Some(Found { offset: 316, is_first: true }));
    assert_eq!(scanner.find(290, u64::MAX).unwrap(), Some(Found { offset: 316, is_first: true }));
    // The end of the file counts as a block if the search reaches it.
    let source = MemorySource::new(vec![0; 300]);
    let scanner = SyncScanner::with_window(&source, &SYNC, 32);
    let end = Some(Found { offset: 300, is_first: true });
    assert_eq!((scanner.find(0, 299).unwrap(), scanner.find(0, 300).unwrap()), (None, end));
}

#[test]
fn headers_that_claim_anything_cost_no_memory() {
    let mut bytes = Vec::new();
    for len in (0..500).rev() {
        // One row, whose size leads to a damaged marker at the end.
        let to_end = len * 19;
        bytes.extend_from_slice(&SYNC);
        bytes.extend_from_slice(&[2, (to_end as u8 & 0x3F) << 1 | 0x80, (to_end >> 6) as u8 & 0x7F]);
    }
    bytes.extend_from_slice(b"0123456789a.....");
    assert_eq!(resume_after(&bytes, 0), bytes.len());
}
