//! Reading on behind damage: every sound block comes out, every other one is reported, in the file's order.

use std::sync::Arc;

use polars_avro::{BadBlock, ContainerFile, Error, ErrorKind, Limits, MemorySource, OpenOptions, ReadOptions, Source};

use super::{field, offset_of, record};
use crate::bad_blocks::{self, Reported};
use crate::container::{Block, CODECS, Container, SYNC, put_bytes, varint};
use crate::expected::Cell;

/// Of a strict read: a block has either all of its rows and nothing else, or it is damaged.
pub(super) fn options() -> ReadOptions {
    ReadOptions::default().with_ignore_errors(true).with_strict(true)
}

fn open(bytes: &[u8], limits: &Limits) -> polars_avro::Result<ContainerFile> {
    let mut open = OpenOptions::default();
    open.limits = limits.clone();
    ContainerFile::open(Arc::new(MemorySource::new(bytes.to_vec())), &open)
}

/// The same with one thread and with several, which must agree.
#[track_caller]
pub(super) fn read(bytes: &[u8], mut options: ReadOptions) -> Reported {
    let file = open(bytes, &Limits::default()).unwrap();
    let mut read = |threads, batch_rows| {
        (options.n_threads, options.batch_rows) = (Some(threads), batch_rows);
        bad_blocks::read(&file, &options).unwrap()
    };
    let one = read(1, 100_000);
    for (threads, batch_rows) in [(1, 1), (2, 100_000), (4, 3)] {
        let other = read(threads, batch_rows);
        assert_eq!(one.0, other.0, "{threads} threads, batches of {batch_rows}");
        assert_eq!(places(&one.1), places(&other.1));
    }
    one
}

/// Number and offset of each bad block, and how many rows it had.
pub(super) fn places(bad: &[BadBlock]) -> Vec<(u64, u64, Option<u64>)> {
    let place = |bad: &BadBlock| {
        let position = bad.error.position();
        assert_eq!(position.file.as_deref(), Some("<bytes>"), "{}", bad.error);
        (position.block.unwrap(), position.offset.unwrap(), bad.rows_lost)
    };
    bad.iter().map(place).collect()
}

/// Blocks of three rows: `a` counts them, `b` is a text that says the same.
pub(super) fn counted(blocks: u8, codec: &str) -> Container {
    let mut file = Container::new(&record(&[("a", "\"int\""), ("b", "\"string\"")]), codec);
    for block in 0..blocks {
        let mut data = Vec::new();
        for row in block * 3..block * 3 + 3 {
            data.extend(varint(i64::from(row)));
            put_bytes(&mut data, format!("row {row}").as_bytes());
        }
        file = file.block(3, data);
    }
    file
}

pub(super) fn rows_of(blocks: impl IntoIterator<Item = u8>) -> Vec<Vec<Cell>> {
    let row = |row: u8| vec![Cell::Int32(i32::from(row)), super::text(&format!("row {row}"))];
    blocks.into_iter().flat_map(|block| block * 3..block * 3 + 3).map(row).collect()
}

type Damage = fn(&mut Block);

/// Ways to damage a block, and whether its header still says how many rows it has.
const DAMAGE: [(&str, Damage, bool); 10] = [
    ("marker", |block| block.sync[3] ^= 0x10, false),
    ("half a marker", |block| block.sync[8..].fill(0), false),
    ("size too small", |block| block.size -= 1, false),
    ("size too large", |block| block.size += 1, false),
    ("size beyond the file", |block| block.size = 1 << 40, false),
    ("size negative", |block| block.size = -3, false),
    ("count negative", |block| block.count = -3, false),
    ("count too large", |block| block.count += 1, true),
    ("count too small", |block| block.count -= 1, true),
    ("bytes", |block| block.bytes.fill(0xFF), true),
];

#[test]
fn one_damaged_block_costs_its_own_rows() {
    for codec in CODECS {
        for (what, damage, framed) in DAMAGE {
            for bad in 0..5 {
                let mut file = counted(5, codec);
                damage(&mut file.blocks[bad as usize]);
                let (rows, reports) = read(&file.build(), options());
                assert_eq!(rows, rows_of((0..5).filter(|&block| block != bad)), "{codec}, block {bad}: {what}");
                let lost = framed.then_some(file.blocks[bad as usize].count as u64);
                let place = (u64::from(bad), offset_of(&file, u64::from(bad)), lost);
                assert_eq!(places(&reports), [place], "{codec}, block {bad}: {what}");
            }
        }
    }
}

#[test]
fn counts_without_end_do_not_end_the_read() {
    for codec in CODECS {
        let mut file = counted(6, codec);
        for bad in [0, 2, 3] {
            file.blocks[bad].count = i64::MAX;
        }
        let (rows, reports) = read(&file.build(), options());
        assert_eq!(rows, rows_of([1, 4, 5]), "{codec}");
        assert!(places(&reports).iter().all(|&(.., lost)| lost.is_none()), "{codec}");
    }
}

#[test]
fn neighbours_may_both_be_damaged() {
    for (first, damage_first, _) in DAMAGE {
        for (second, damage_second, _) in DAMAGE {
            let mut file = counted(6, "deflate");
            damage_first(&mut file.blocks[2]);
            damage_second(&mut file.blocks[3]);
            let (rows, reports) = read(&file.build(), options());
            assert_eq!(rows, rows_of([0, 1, 4, 5]), "{first}, then {second}");
            assert_eq!(reports[0].error.position().offset, Some(offset_of(&file, 2)));
        }
    }
}

#[test]
fn a_sound_file_is_read_whole() {
    for codec in CODECS {
        let (rows, reports) = read(&counted(9, codec).build(), options());
        assert_eq!((rows, reports.len()), (rows_of(0..9), 0));
    }
}

#[test]
fn a_file_that_is_cut_ends_where_its_last_whole_block_does() {
    let file = counted(4, "snappy");
    let bytes = file.build();
    let ends: Vec<_> = (0..=4).map(|block| offset_of(&file, block) as usize).collect();
    for cut in ends[0]..bytes.len() {
        let (rows, reports) = read(&bytes[..cut], options());
        let whole = ends.iter().filter(|&&end| end <= cut).count() - 1;
        assert_eq!(rows, rows_of(0..whole as u8), "cut at {cut}");
        assert_eq!(reports.len(), usize::from(!ends.contains(&cut)));
    }
    assert_eq!(open(&bytes[..ends[0] - 1], &Limits::default()).map(|_| ()).unwrap_err().kind(), ErrorKind::Data);
}

/// A block is found by what precedes it: a marker, or the header of the block before. Behind junk there is neither.
#[test]
fn bytes_between_blocks_cost_the_block_behind_them() {
    let file = counted(4, "null");
    let (bytes, at) = (file.build(), offset_of(&file, 2) as usize);
    // The fourth looks like a block, and what it claims to be followed by does as well: the last row of the next block.
    let junk: [(&[u8], bool); 6] = [
        (&[0], false),
        (&[2, 2], false),
        (&[0xFF; 40], false),
        (b"\x06\x08junk", false),
        (&SYNC, true),
        (&[&[9; 70], &SYNC[..], &SYNC].concat(), true),
    ];
    for (junk, found) in junk {
        let bytes = [&bytes[..at], junk, &bytes[at..]].concat();
        let (rows, reports) = read(&bytes, options());
        let kept: &[u8] = if found { &[0, 1, 2, 3] } else { &[0, 1, 3] };
        assert_eq!(rows, rows_of(kept.iter().copied()), "{junk:?}");
        assert_eq!(places(&reports), [(2, at as u64, None)], "{junk:?}");
    }
}

/// The marker in a block's data does not end the search, nor the file.
#[test]
fn a_marker_inside_data_is_passed_over() {
    let text = |row: u8| [b"before ", &SYNC[..], &[row; 30]].concat();
    let mut file = field("\"bytes\"");
    for row in 0..5 {
        let mut data = Vec::new();
        put_bytes(&mut data, &text(row));
        file = file.block(1, data);
    }
    for (what, damage, _) in DAMAGE {
        let mut file = file.clone();
        damage(&mut file.blocks[1]);
        damage(&mut file.blocks[3]);
        let rows = read(&file.build(), options()).0;
        let expected: Vec<_> = [0, 2, 4].map(|row| vec![Cell::Binary(text(row))]).into();
        assert_eq!(rows, expected, "{what}");
    }
}

/// What is not asked for is decoded too, so that every query has the same rows.
#[test]
fn which_blocks_are_lost_does_not_depend_on_the_columns() {
    let mut file = counted(5, "null");
    // Not UTF-8: nobody notices who passes over the text.
    *file.blocks[1].bytes.last_mut().unwrap() = 0xFF;
    file.blocks[3].sync[0] = 7;
    let bytes = file.build();
    for columns in [&["a"][..], &["b"], &["b", "a"], &[]] {
        let mut options = options();
        options.columns = Some(columns.iter().map(|&name| name.to_owned()).collect());
        let (rows, reports) = read(&bytes, options);
        let pick = |row: Vec<Cell>| columns.iter().map(|&name| row[usize::from(name == "b")].clone()).collect();
        let expected: Vec<Vec<Cell>> = rows_of([0, 2, 4]).into_iter().map(pick).collect();
        assert_eq!(rows, expected, "{columns:?}");
        assert_eq!(reports.len(), 2, "{columns:?}");
    }
    let file = open(&bytes, &Limits::default()).unwrap();
    assert_eq!(file.count_readable_rows(None).unwrap(), 9);
    assert_eq!([0, 2, 4, 9, 20].map(|limit| file.count_readable_rows(Some(limit)).unwrap()), [0, 2, 4, 9, 9]);
}

/// Rows are counted as they come out.
#[test]
fn slices_and_row_numbers_count_what_comes_out() {
    let mut file = counted(6, "deflate");
    file.blocks[0].bytes.fill(0xFF);
    file.blocks[3].size = -1;
    let bytes = file.build();
    let whole = rows_of([1, 2, 4, 5]);
    for (offset, length) in
        [(0, None), (0, Some(0)), (0, Some(4)), (2, Some(5)), (5, None), (5, Some(2)), (11, Some(9)), (40, None)]
    {
        let mut options = options();
        (options.offset, options.length, options.row_index) = (offset, length, Some(("n".into(), 100)));
        let rows = read(&bytes, options).0;
        let numbered = whole.iter().enumerate().map(|(at, row)| [&[Cell::UInt32(100 + at as u32)], &row[..]].concat());
        let expected: Vec<_> = numbered.skip(offset as usize).take(length.unwrap_or(99) as usize).collect();
        assert_eq!(rows, expected, "{length:?} rows from {offset}");
    }
}

/// Damage behind the last row that is wanted is not looked for.
#[test]
fn what_is_not_read_is_not_reported() {
    let mut file = counted(4, "null");
    file.blocks[3].bytes.fill(0xFF);
    let mut options = options();
    options.length = Some(4);
    let (rows, reports) = read(&file.build(), options);
    assert_eq!((rows.len(), reports.len()), (4, 0));
}

/// Blocks of a megabyte and more are cut between records elsewhere; here the rows before the damage are lost as well.
#[test]
fn a_big_block_is_lost_whole() {
    let datum = |row: i64| varint((1 << 40) + row);
    let block = |first: i64, rows: i64| (first..first + rows).flat_map(datum).collect::<Vec<_>>();
    for codec in ["null", "zstandard"] {
        let mut bad = block(1000, 400_000);
        bad.truncate(bad.len() - 1);
        let file = Container::new(&record(&[("a", "\"long\"")]), codec)
            .block(1000, block(0, 1000))
            .block(400_000, bad)
            .block(300_000, block(500_000, 300_000));
        let (rows, reports) = read(&file.build(), options());
        assert_eq!(rows.len(), 301_000);
        assert_eq!(rows[1000], [Cell::Int64((1 << 40) + 500_000)]);
        assert_eq!(places(&reports), [(1, offset_of(&file, 1), Some(400_000))]);
        assert_eq!(reports[0].error.position().record, Some(399_999));
    }
}

/// Blocks of more bytes than one that is decompressed may have are walked over before they are in memory whole.
#[test]
fn a_huge_block_is_looked_at_before_it_is_read() {
    let text = |bytes: usize| [varint(bytes as i64), vec![b'x'; bytes]].concat();
    let texts = |n: usize| (0..n).flat_map(|_| text(1000)).collect::<Vec<_>>();
    let mut cut = texts(5000);
    cut.truncate(cut.len() - 1);
    let file = field("\"string\"")
        .block(5000, texts(5000))
        .block(5000, cut)
        .block(4999, texts(5000))
        .block(0, texts(3000))
        .block(3, [text(10), text(5 << 20), text(10)].concat())
        .block(1, text(10));
    let mut limits = Limits::default();
    for (block_bytes, heights) in [(1 << 20, 5001), (4 << 20, 5004), (64 << 20, 5004)] {
        limits.block_bytes = block_bytes;
        let (rows, reports) = bad_blocks::read(&open(&file.build(), &limits).unwrap(), &options()).unwrap();
        assert_eq!(rows.len(), heights, "{block_bytes}");
        let found: Vec<_> = reports.iter().map(|bad| bad.error.position().record).collect();
        assert_eq!(found[..3], [Some(4999), None, None]);
        if heights == 5001 {
            assert_eq!((found[3], reports[3].error.kind()), (Some(1), ErrorKind::Limit));
        } else {
            assert_eq!(found.len(), 3);
        }
    }
}

/// A limit that counts over a batch does not make blocks bad that are good on their own.
#[test]
fn limits_are_a_blocks_own() {
    let mut limits = Limits::default();
    limits.zero_byte_items = 1000;
    let mut file = field(r#"{"type":"array","items":"null"}"#);
    for count in [900, 800, 1100, 700] {
        file = file.block(1, [varint(count), vec![0]].concat());
    }
    let (rows, reports) = bad_blocks::read(&open(&file.build(), &limits).unwrap(), &options()).unwrap();
    let heights = rows.iter().map(|row| match &row[0] {
        Cell::List(items) => items.len(),
        other => panic!("{other:?}"),
    });
    assert_eq!(heights.collect::<Vec<_>>(), [900, 800, 700]);
    assert_eq!(reports.iter().map(|bad| bad.error.kind()).collect::<Vec<_>>(), [ErrorKind::Limit]);
}

#[test]
fn bad_blocks() {
    let mut limits = Limits::default();
    let mut file = counted(8, "null");
    for block in [1, 2, 4, 6] {
        file.blocks[block].bytes.fill(0xFF);
    }
    let read = |limits: &Limits| bad_blocks::read(&open(&file.build(), limits).unwrap(), &options());
    limits.bad_blocks = 4;
    assert_eq!(read(&limits).unwrap().0, rows_of([0, 3, 5, 7]));
    limits.bad_blocks = 3;
    let error = read(&limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.message().contains("`bad_blocks`"), "{error}");
    assert_eq!(error.position().block, Some(6));
}

/// Fails every read behind an offset.
struct Failing(MemorySource, u64);

impl Source for Failing {
    fn name(&self) -> &'static str {
        "failing.avro"
    }

    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, offset: u64, len: usize) -> polars_avro::Result<polars_buffer::Buffer<u8>> {
        if offset + len as u64 > self.1 {
            let cause = std::io::Error::other("the disk is gone");
            return Err(Error::new(ErrorKind::Source, "the disk is gone").with_cause(cause));
        }
        self.0.read_at(offset, len)
    }
}

#[test]
fn what_cannot_be_read_is_an_error_all_the_same() {
    let mut file = field("\"long\"");
    for block in 0..600i64 {
        file = file.block(1000, (0..1000).flat_map(|row| varint((1 << 40) + block * 1000 + row)).collect::<Vec<_>>());
    }
    file.blocks[3].bytes.fill(0xFF);
    let bytes = file.build();
    for threads in [1, 4] {
        let source = Failing(MemorySource::new(bytes.clone()), bytes.len() as u64 / 2);
        let file = ContainerFile::open(Arc::new(source), &OpenOptions::default()).unwrap();
        let mut options = options();
        options.n_threads = Some(threads);
        let error = bad_blocks::read(&file, &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Source, "{error}");
        assert!(error.io().is_some());
    }
}

/// Nothing tells where the block behind it begins; what its bytes look like is no reason to make rows of them.
#[test]
fn a_marker_that_is_gone_costs_two_blocks() {
    let mut file = counted(5, "null");
    file.blocks[1].sync = [0; 16];
    let (rows, reports) = read(&file.build(), options());
    assert_eq!(rows, rows_of([0, 3, 4]));
    assert_eq!(places(&reports), [(1, offset_of(&file, 1), None)]);
}
