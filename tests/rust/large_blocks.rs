//! One block that several threads share.

use std::sync::Arc;

use polars_avro::{ContainerFile, MemorySource, OpenOptions, Result, Source};
use polars_buffer::Buffer;

use crate::choices::Choices;
use crate::columns;
use crate::container::{Container, put_bytes, put_long};
use crate::cores::{ids, on, outcome};
use crate::differential::open;
use crate::expected::Cell;
use crate::naive::long;

/// Records in which a walk from a wrong position goes on for ever, meets the right one, or fails at once.
const SHAPES: [&str; 5] = [
    r#"["null", "long"]"#,
    r#""double""#,
    r#"{"type": "array", "items": "long"}"#,
    r#"{"type": "map", "values": ["null", "double"]}"#,
    r#""string""#,
];

/// Rows of a block of the ordinary size.
const FEW: i64 = 1000;

/// A block of so many rows: their number, then a value of a shape.
fn one_block(shape: usize, rows: i64) -> Vec<u8> {
    small_blocks(shape, rows).concat()
}

/// The same rows in blocks of the ordinary size.
fn small_blocks(shape: usize, rows: i64) -> Vec<Vec<u8>> {
    let mut choices = Choices::Seed(shape as u64);
    let mut blocks = Vec::new();
    for row in 0..rows {
        if row % FEW == 0 {
            blocks.push(Vec::new());
        }
        let out = blocks.last_mut().unwrap();
        put_long(out, row);
        let n = choices.below(4) as i64;
        match shape {
            // Long stretches of zeros look the same from everywhere.
            0 if row / 10_000 % 2 == 0 => put_long(out, 0),
            0 => {
                put_long(out, 1);
                put_long(out, choices.word() as i64);
            }
            1 => out.extend(choices.word().to_le_bytes()),
            2 | 3 => {
                if n > 0 {
                    put_long(out, n);
                }
                for item in 0..n {
                    if shape == 2 {
                        put_long(out, choices.word() as i64);
                    } else {
                        put_bytes(out, b"key");
                        put_long(out, item % 2);
                        out.extend(choices.word().to_le_bytes().iter().take(if item % 2 == 0 { 0 } else { 8 }));
                    }
                }
                put_long(out, 0);
            }
            // A value that is larger than a part, among small ones.
            _ if row == rows / 2 => put_bytes(out, &vec![b'x'; 3 << 20]),
            _ => put_bytes(out, &b"some text of some length or other"[..choices.below(33)]),
        }
    }
    blocks
}

fn container(shape: usize, codec: &str) -> Container {
    let schema = format!(
        r#"{{"type": "record", "name": "R", "fields": [{{"name": "id", "type": "long"}},
            {{"name": "value", "type": {}}}]}}"#,
        SHAPES[shape]
    );
    Container::new(&schema, codec)
}

fn one_block_file(shape: usize, codec: &str, claimed: i64, block: &[u8]) -> Vec<u8> {
    container(shape, codec).block(claimed, block).build()
}

/// The values of the rows, read from small blocks, which are not cut.
fn values(shape: usize, rows: i64) -> Vec<Cell> {
    let blocks = small_blocks(shape, rows);
    let small = blocks.iter().fold(container(shape, "null"), |file, block| file.block(FEW, block));
    let batches = open(small.build()).unwrap().read(&on(1, false)).unwrap();
    batches.flat_map(|batch| columns::cells(batch.unwrap().arrays[1].as_ref())).collect()
}

#[test]
fn one_block_comes_in_order_on_any_number_of_threads() {
    let rows = 200_000;
    for shape in 0..SHAPES.len() {
        let (block, whole) = (one_block(shape, rows), values(shape, rows));
        for codec in ["null", "snappy"] {
            let bytes = one_block_file(shape, codec, rows, &block);
            let size = bytes.len() as u64;
            let file = open(bytes).unwrap();
            for threads in [1, 2, 4] {
                for (offset, length) in [(0, u64::MAX), (70_001, 100_000), (0, 5000)] {
                    let mut options = on(threads, false);
                    (options.offset, options.length) = (offset, (length < u64::MAX).then_some(length));
                    let mut reader = file.read(&options).unwrap();
                    let batches: Vec<_> = reader.by_ref().map(|batch| batch.unwrap()).collect();
                    let wanted = (0..rows).skip(offset as usize).take(length as usize);
                    let case = format!("{shape}, {codec}, {threads} threads, from {offset}");
                    assert!(batches.iter().flat_map(ids).eq(wanted.clone()), "{case}");
                    let values = batches.iter().flat_map(|batch| columns::cells(batch.arrays[1].as_ref()));
                    assert!(values.eq(wanted.map(|row| whole[row as usize].clone())), "{case}");
                    let read = reader.stats().bytes_read;
                    assert!(read <= size && (length < u64::MAX || read == size), "{case}: {read} of {size} bytes");
                }
            }
        }
    }
}

#[test]
fn bytes_after_the_rows_of_a_large_block_are_an_error_of_strict_reads() {
    let block = one_block(4, 200_000);
    for codec in ["null", "snappy"] {
        for rows in [0, 1, 50_000, 199_999] {
            let file = open(one_block_file(4, codec, rows, &block)).unwrap();
            for threads in [1, 2, 4] {
                let (found, error, _) = outcome(&file, &on(threads, false));
                assert_eq!((found.len() as i64, error), (rows, None), "{codec}, {rows} rows, {threads} threads");
                let (found, error, _) = outcome(&file, &on(threads, false).with_strict(true));
                let error = error.unwrap_or_default();
                let claimed =
                    format!("bytes are left after the block's {rows} row{}", if rows == 1 { "" } else { "s" });
                assert!(error.contains("block 0 at byte") && error.ends_with(&claimed), "{codec}, {rows}: {error}");
                assert!(found.iter().copied().eq(0..found.len() as i64) && found.len() as i64 <= rows);
                let left: usize = error.split(' ').rev().nth(8).unwrap().parse().unwrap();
                assert_eq!(left, block.len() - one_block_bytes(&block, rows), "{codec}, {rows} rows");
            }
        }
        let file = open(one_block_file(4, codec, 200_001, &block)).unwrap();
        for threads in [1, 2, 4] {
            let (found, error, _) = outcome(&file, &on(threads, false));
            assert!(error.unwrap().contains("the block ends before field `id`"), "{codec}, {threads} threads");
            assert!(found.iter().copied().eq(0..found.len() as i64));
        }
    }
}

/// A source that fails where it reads one byte, or ends before it.
struct Broken {
    bytes: MemorySource,
    at: u64,
    is_short: bool,
}

impl Source for Broken {
    fn name(&self) -> &'static str {
        "broken.avro"
    }

    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read_at(&self, offset: u64, len: usize) -> Result<Buffer<u8>> {
        if !(offset..offset + len as u64).contains(&self.at) {
            return self.bytes.read_at(offset, len);
        }
        if self.is_short {
            return self.bytes.read_at(offset, (self.at - offset) as usize);
        }
        Err(std::io::Error::other("the disk is gone").into())
    }
}

#[test]
fn a_source_that_fails_inside_a_large_block_is_an_error() {
    let rows = 200_000;
    let bytes = one_block_file(4, "null", rows, &one_block(4, rows));
    for is_short in [false, true] {
        for part in 1..8 {
            let at = bytes.len() as u64 * part / 8;
            for threads in [1, 2, 4] {
                let source = Broken { bytes: MemorySource::new(bytes.clone()), at, is_short };
                let file = ContainerFile::open(Arc::new(source), &OpenOptions::default()).unwrap();
                let (found, error, _) = outcome(&file, &on(threads, false));
                let expected = if is_short { "became shorter while it was read" } else { "the disk is gone" };
                assert!(error.as_ref().is_some_and(|error| error.contains(expected)), "{at}: {error:?}");
                assert!(found.iter().copied().eq(0..found.len() as i64), "{at}, {threads} threads");
            }
        }
    }
}

/// How many bytes the first rows of a block of the last shape take.
fn one_block_bytes(block: &[u8], rows: i64) -> usize {
    let mut rest = block;
    for _ in 0..rows {
        long(&mut rest).unwrap();
        let len = long(&mut rest).unwrap() as usize;
        rest = &rest[len..];
    }
    block.len() - rest.len()
}
