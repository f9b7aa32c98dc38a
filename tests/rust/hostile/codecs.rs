//! Blocks whose compressed bytes are wrong.

use polars_avro::{ErrorKind, Limits, ReadOptions};

use super::{column, record, refusal, refused_in_block};
use crate::container::{CODECS, Container, compress};
use crate::expected::Cell;

fn file(codec: &str) -> Container {
    Container::new(&record(&[("a", "\"long\"")]), codec).block(1, [2])
}

/// Twelve rows that compress.
const ROWS: [u8; 12] = [8; 12];

#[test]
fn every_codec_is_read() {
    for codec in CODECS {
        assert_eq!(column(&file(codec).block(12, ROWS)), [vec![Cell::Int64(1)], vec![Cell::Int64(4); 12]].concat());
    }
}

#[test]
fn a_wrong_checksum_is_refused() {
    for at in 0..4 {
        let error = refused_in_block(
            &file("snappy").block(12, ROWS).but(|block| {
                let crc = block.bytes.len() - 4;
                block.bytes[crc + at] ^= 1;
            }),
            1,
        );
        assert!(error.message().to_lowercase().contains("crc"), "{error}");
    }
}

#[test]
fn a_snappy_block_with_no_room_for_its_checksum_is_refused() {
    for len in 0..4 {
        let short = file("snappy").block(1, [2]).but(|block| {
            block.bytes.truncate(len);
            block.size = len as i64;
        });
        refused_in_block(&short, 1);
    }
}

#[test]
fn a_snappy_block_that_claims_more_than_it_can_hold_is_refused() {
    for claim in [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0xff; 10], &[0x80, 0x80, 0x80, 0x80, 0x01]] {
        let lying = file("snappy").block(1, [2]).but(|block| {
            block.bytes = [claim, &[0, 8, 1, 2, 3, 4]].concat();
            block.size = block.bytes.len() as i64;
        });
        let error = super::refused(&lying);
        assert!(matches!(error.kind(), ErrorKind::Data | ErrorKind::Limit), "{error}");
        assert_eq!(error.position().block, Some(1));
    }
}

#[test]
fn compressed_bytes_that_are_cut_or_garbage_are_refused() {
    for codec in CODECS.into_iter().skip(1) {
        let whole = compress(codec, &ROWS);
        for len in 0..whole.len() {
            let cut = file(codec).block(12, ROWS).but(|block| {
                block.bytes.truncate(len);
                block.size = len as i64;
            });
            refused_in_block(&cut, 1);
        }
        let garbage = file(codec).block(12, ROWS).but(|block| block.bytes.fill(0xaa));
        refused_in_block(&garbage, 1);
    }
}

#[test]
fn a_block_that_grows_beyond_the_limit_is_refused() {
    let mut limits = Limits::default();
    limits.block_bytes = 1 << 20;
    for codec in CODECS.into_iter().skip(1) {
        let bomb = Container::new(&record(&[("a", "\"long\"")]), codec).block(30 << 20, vec![0; 30 << 20]);
        let error = refusal(bomb.build(), &limits, &ReadOptions::default());
        assert_eq!((error.kind(), error.position().block), (ErrorKind::Limit, Some(0)), "{codec}: {error}");
        assert!(error.message().contains("block_bytes"), "{error}");
    }
}
