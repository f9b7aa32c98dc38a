//! Blocks that are cut, miscounted or badly joined.

use polars_avro::{ErrorKind, Limits, ReadOptions};

use super::{column, field, offset_of, only, read_with, record, refusal, refused_in_block, rows};
use crate::bad_blocks;
use crate::container::{CODECS, Container, varint};
use crate::differential::open;
use crate::expected::Cell;

fn three_blocks(codec: &str) -> Container {
    let file = Container::new(&record(&[("a", "\"int\""), ("b", "\"string\"")]), codec);
    file.block(2, b"\x02\x02x\x04\x04yz").block(1, b"\x06\x00").block(3, b"\x08\x02a\x0a\x02b\x0c\x02c")
}

/// A file that ends between blocks is a whole file; one that ends anywhere else is not.
#[test]
fn a_file_cut_at_any_byte_is_refused() {
    for codec in CODECS {
        let file = three_blocks(codec);
        let bytes = file.build();
        let ends: Vec<_> = (0..=3).map(|block| offset_of(&file, block) as usize).collect();
        let counts = [0, 2, 3, 6];
        for cut in 0..bytes.len() {
            if let Some(block) = ends.iter().position(|&end| end == cut) {
                let table = read_with(&bytes[..cut], 2, &Limits::default(), &ReadOptions::default()).unwrap();
                assert_eq!(table.rows.len(), counts[block]);
                continue;
            }
            let error = refusal(&bytes[..cut], &Limits::default(), &ReadOptions::default());
            assert_eq!(error.kind(), ErrorKind::Data, "{codec} cut at {cut}: {error}");
            let counted = open(bytes[..cut].to_vec()).and_then(|file| file.count_rows(None));
            assert_eq!(counted.unwrap_err().kind(), ErrorKind::Data, "counting {codec} cut at {cut}");
            if cut > ends[0] {
                let block = ends.iter().filter(|&&end| end <= cut).count() - 1;
                assert_eq!(error.position().block, Some(block as u64), "{codec} cut at {cut}: {error}");
            }
        }
    }
}

#[test]
fn a_wrong_sync_marker_is_refused() {
    for block in 0..3 {
        let mut file = three_blocks("snappy");
        file.blocks[block].sync[15] ^= 1;
        let error = refused_in_block(&file, block as u64);
        assert!(error.message().contains("sync"), "{error}");
        assert_eq!(open(file.build()).unwrap().count_rows(None).unwrap_err().kind(), ErrorKind::Data);
    }
}

#[test]
fn bytes_behind_the_last_block_are_refused() {
    let file = three_blocks("null");
    for extra in [&[0][..], &[2], &[0, 0], &[0; 17], b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"] {
        let bytes = [file.build(), extra.to_vec()].concat();
        let error = refusal(&bytes, &Limits::default(), &ReadOptions::default());
        assert_eq!((error.kind(), error.position().block), (ErrorKind::Data, Some(3)), "{extra:?}: {error}");
    }
}

#[test]
fn bytes_left_in_a_block_are_refused_by_strict_reads() {
    refused_in_block(&field("\"int\"").block(1, [2]).block(2, [2, 4, 6]), 1);
    refused_in_block(&field("\"null\"").block(3, [0]), 0);
    refused_in_block(&field("\"int\"").block(1, [2]).block(0, [2]), 1);
    refused_in_block(&Container::new(&record(&[]), "deflate").block(1, [0]), 0);
}

/// Also where the columns that are read end before the bytes that are too many.
#[test]
fn bytes_left_in_a_block_are_refused_whatever_is_read() {
    let file = Container::new(&record(&[("a", "\"int\""), ("b", "\"int\"")]), "null").block(1, [2, 4, 6]);
    for columns in [&["a"][..], &["b"], &[]] {
        let error = refusal(file.build(), &Limits::default(), &only(columns).with_strict(true));
        assert_eq!((error.kind(), error.position().block), (ErrorKind::Data, Some(0)), "{columns:?}");
    }
}

#[test]
fn bytes_left_in_a_block_are_reported_by_other_reads() {
    let file = field("\"int\"").block(1, [2]).block(2, [2, 4, 6]).block(0, [8, 8]).block(1, [4]);
    for options in [ReadOptions::default(), ReadOptions::default().with_ignore_errors(true)] {
        let (rows, bad) = bad_blocks::read(&open(file.build()).unwrap(), &options).unwrap();
        assert_eq!(rows.len(), 4);
        let reports = bad.iter().map(|bad| (bad.error.position().block, bad.rows_lost, bad.is_dropped));
        assert_eq!(reports.collect::<Vec<_>>(), [(Some(1), Some(0), false), (Some(2), Some(0), false)]);
        assert!(bad[1].error.message().contains("2 bytes are left after the block's 0 rows"), "{}", bad[1].error);
    }
}

#[test]
fn a_record_that_ends_behind_its_block_is_refused() {
    // Which value ran over is known at the record's end only, so the path may be missing.
    let cut = |file: &Container, block, record| {
        let error = refused_in_block(file, block);
        assert_eq!(error.position().record, Some(record), "{error}");
    };
    refused_in_block(&field("\"int\"").block(1, [2]).block(3, [2, 4]), 1);
    refused_in_block(&field("\"int\"").block(1, []), 0);
    cut(&field("\"int\"").block(1, [2]).block(3, [2, 0x84, 0x80, 0x80]), 1, 1);
    cut(&field("\"int\"").block(1, [2]).block(3, [2, 0x84, 0]), 1, 2);
    cut(&field("\"double\"").block(2, [0; 15]), 0, 1);
    cut(&field("\"string\"").block(1, [6, b'x']), 0, 0);
    refused_in_block(&field("\"boolean\"").block(2, [1]), 0);
    cut(&field(r#"{"type":"fixed","name":"F","size":4}"#).block(2, [0; 7]), 0, 1);
    cut(&field(r#"{"type":"array","items":"int"}"#).block(1, [2, 2]), 0, 0);
}

#[test]
fn a_block_of_no_records_does_not_end_the_file() {
    let file = field("\"int\"").block(0, []).block(2, [2, 4]).block(0, []).block(0, []).block(1, [6]).block(0, []);
    assert_eq!(column(&file), [1, 2, 3].map(Cell::Int32));
    assert_eq!(open(file.build()).unwrap().count_rows(None).unwrap(), 3);
    for codec in CODECS {
        let file = Container::new(&record(&[("a", "\"int\"")]), codec).block(1, [2]).block(0, []).block(1, [4]);
        assert_eq!(column(&file), [1, 2].map(Cell::Int32), "{codec}");
    }
}

#[test]
fn a_block_that_counts_or_measures_wrongly_is_refused() {
    for count in [-1, i64::MIN, 1 << 62, 1 << 40, 1_000_000_000] {
        let error = refused_in_block(&field("\"int\"").block(1, [2]).block(1, [4]).but(|block| block.count = count), 1);
        assert!(error.position().record.is_none_or(|record| record <= 1), "{error}");
    }
    for size in [-1, i64::MIN, i64::MAX, 1 << 62, 18, 1 << 33] {
        let file = field("\"int\"").block(1, [2]).block(1, [4]).but(|block| block.size = size);
        refused_in_block(&file, 1);
        assert!(open(file.build()).unwrap().count_rows(None).is_err(), "counting with a size of {size}");
    }
    refused_in_block(&field("\"int\"").block(2, [2, 4]).but(|block| block.size = 1), 0);
}

#[test]
fn counts_that_add_up_to_too_many_rows_are_refused() {
    let mut file = field("\"int\"");
    for _ in 0..4 {
        file = file.block(1, [2]).but(|block| block.count = i64::MAX);
    }
    let error = open(file.build()).unwrap().count_rows(None).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Data | ErrorKind::Limit), "{error}");
}

#[test]
fn a_varint_that_is_too_long_is_refused_before_a_block() {
    let header = field("\"int\"").header();
    let bytes = [header, vec![0x80; 10], vec![0, 2, 2]].concat();
    let error = refusal(&bytes, &Limits::default(), &ReadOptions::default());
    assert_eq!((error.kind(), error.position().block), (ErrorKind::Data, Some(0)));
}

/// What is read before the damage is handed out, then the error, then nothing.
#[test]
fn rows_before_the_damage_come_first_and_the_error_once() {
    let mut file = field("\"long\"");
    for block in 0..400i64 {
        file = file.block(1000, (0..1000).flat_map(|row| varint((1 << 40) + block * 1000 + row)).collect::<Vec<_>>());
    }
    file.blocks[350].bytes.push(0);
    file.blocks[350].size += 1;
    for threads in [1, 2, 4] {
        let mut options = ReadOptions::default();
        (options.n_threads, options.batch_rows, options.strict) = (Some(threads), 10_000, true);
        let mut reader = open(file.build()).unwrap().read(&options).unwrap();
        let (mut height, mut failed) = (0, None);
        for batch in reader.by_ref() {
            match batch {
                Ok(batch) if failed.is_none() => height += batch.height,
                Ok(_) => panic!("a batch behind the error"),
                Err(error) => {
                    assert!(failed.is_none(), "a second error");
                    failed = Some(error);
                }
            }
        }
        assert_eq!(failed.unwrap().position().block, Some(350));
        assert!((340_000..=350_000).contains(&height), "{height} rows before the damage");
        assert!(reader.next().is_none());
    }
}

#[test]
fn rows_of_no_bytes_are_kept() {
    let nulls = field("\"null\"").block(5, []).block(2, []);
    assert_eq!(column(&nulls), vec![Cell::Null; 7]);
    let empty = Container::new(&record(&[]), "snappy").block(5, []).block(2, []);
    assert_eq!(rows(&empty), vec![Vec::<Cell>::new(); 7]);
    let root = Container::new("\"null\"", "null").block(3, []);
    assert_eq!(column(&root), vec![Cell::Null; 3]);
    for file in [nulls, empty] {
        assert_eq!(open(file.build()).unwrap().count_rows(None).unwrap(), 7);
    }
}
