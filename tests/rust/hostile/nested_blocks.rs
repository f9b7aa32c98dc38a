//! Blocks inside a block whose wrong size led to the marker of a later one.

use polars_avro::ErrorKind;

use super::ignore_errors::{counted, options, read, rows_of};
use super::{offset_of, record};
use crate::container::{CODECS, Container, SYNC};
use crate::expected::Cell;

/// A size that leads to a later marker makes one block of several; those behind the first are found in it.
#[test]
fn blocks_that_a_wrong_size_swallows_are_found() {
    for codec in CODECS {
        for count in [3, 1 << 20] {
            let mut file = counted(8, codec);
            let swallowed = offset_of(&file, 6) - offset_of(&file, 3);
            file.blocks[2].size += swallowed as i64;
            file.blocks[2].count = count;
            let error = super::refused_in_block(&file, 2);
            assert_eq!(error.kind(), ErrorKind::Data, "{codec}");
            for damaged in [None, Some(4)] {
                let mut file = file.clone();
                if let Some(block) = damaged {
                    file.blocks[block].bytes.fill(0xFF);
                }
                let (rows, reports) = read(&file.build(), options());
                let lost = |block| block == 2 || damaged == Some(usize::from(block));
                assert_eq!(rows, rows_of((0..8).filter(|&block| !lost(block))), "{codec}");
                assert_eq!(reports.len(), 1 + usize::from(damaged.is_some()), "{codec}");
            }
        }
    }
}

/// A marker inside the first block's own value hides none of the others.
#[test]
fn a_swallowing_block_that_holds_a_marker_is_seen() {
    let mut file = Container::new(&record(&[("a", "\"bytes\"")]), "deflate").block(1, []).but(|block| {
        // Stored as it is: one piece of 17 bytes.
        block.bytes = [&[1, 17, 0, !17, 0xFF, 32][..], &SYNC].concat();
        block.size = block.bytes.len() as i64;
    });
    for number in 0..2 {
        file = file.block(1, [2, number]);
    }
    let rows = |numbers: &[u8]| numbers.iter().map(|&number| vec![Cell::Binary(vec![number])]).collect::<Vec<_>>();
    let whole = [vec![vec![Cell::Binary(SYNC.to_vec())]], rows(&[0, 1])].concat();
    assert_eq!(read(&file.build(), options()).0, whole);
    file.blocks[0].size += (offset_of(&file, 2) - offset_of(&file, 1)) as i64;
    super::refused_in_block(&file, 0);
    let (found, reports) = read(&file.build(), options());
    assert_eq!((found, reports.len()), (rows(&[0, 1]), 1));
}

/// What is damaged inside costs no more than it does elsewhere.
#[test]
fn a_damaged_marker_among_swallowed_blocks_costs_its_own_block_alone() {
    for codec in CODECS {
        let mut file = counted(8, codec);
        file.blocks[1].size += (offset_of(&file, 7) - offset_of(&file, 2)) as i64;
        file.blocks[4].sync[3] ^= 1;
        let (rows, reports) = read(&file.build(), options());
        assert_eq!(rows, rows_of([0, 2, 3, 5, 6, 7]), "{codec}");
        assert_eq!(reports.len(), 1, "{codec}");
    }
}

/// A block inside a bad one may claim what it likes as well.
#[test]
fn swallowed_rows_of_no_bytes_are_limited() {
    for codec in CODECS {
        let mut file = Container::new(&record(&[]), codec);
        for _ in 0..6 {
            file = file.block(3, []);
        }
        file.blocks[1].size += (offset_of(&file, 4) - offset_of(&file, 2)) as i64;
        file.blocks[2].count = i64::MAX;
        let (rows, reports) = read(&file.build(), options());
        assert_eq!(rows.len(), 3 * 4, "{codec}");
        let kinds: Vec<_> = reports.iter().map(|bad| bad.error.kind()).collect();
        assert_eq!(kinds, [ErrorKind::Data, ErrorKind::Limit], "{codec}");
    }
}
