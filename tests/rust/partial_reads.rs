//! What reading a part of a file spares: counted, not timed.

use std::sync::Arc;
use std::sync::Mutex;

use polars_arrow::array::PrimitiveArray;
use polars_avro::{
    Batch, ContainerFile, FileInput, FileSet, MemorySource, OpenOptions, ReadOptions, Result, Source, Stats,
};

use crate::container::{Container, put_bytes, put_long};

const SCHEMA: &str = r#"{"type": "record", "name": "R", "fields": [{"name": "id", "type": "long"}, {"name": "text", "type": "string"}]}"#;

/// Rows of 16 bytes or so in blocks of some 16 kB, or in one.
fn file(codec: &str, blocks: i64, per_block: i64) -> Vec<u8> {
    let mut container = Container::new(SCHEMA, codec);
    let mut noise = 1u64;
    for block in 0..blocks {
        let mut datums = Vec::new();
        for id in block * per_block..(block + 1) * per_block {
            put_long(&mut datums, id);
            noise = noise.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            put_bytes(
                &mut datums,
                &[noise.to_le_bytes(), noise.rotate_left(17).to_le_bytes()]
                    .concat()
                    .iter()
                    .map(|byte| byte & 0x7f)
                    .collect::<Vec<_>>()[..12],
            );
        }
        container = container.block(per_block, datums);
    }
    container.build()
}

/// Remembers how many reads there were, and of how many bytes.
struct Counting(MemorySource, Arc<Mutex<(usize, usize)>>);

impl Source for Counting {
    fn name(&self) -> &'static str {
        "counted.avro"
    }

    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, offset: u64, len: usize) -> Result<polars_buffer::Buffer<u8>> {
        let bytes = self.0.read_at(offset, len)?;
        let mut counts = self.1.lock().unwrap();
        counts.0 += 1;
        counts.1 += bytes.len();
        Ok(bytes)
    }
}

/// Heights of the batches taken, what was counted by the reader, and bytes read from the source after opening.
fn read(file: &[u8], batches: usize, change: impl FnOnce(&mut ReadOptions)) -> (Vec<usize>, Stats, usize) {
    let counts = Arc::new(Mutex::new((0, 0)));
    let source = Counting(MemorySource::new(file.to_vec()), counts.clone());
    let opened = ContainerFile::open(Arc::new(source), &OpenOptions::default()).unwrap();
    *counts.lock().unwrap() = (0, 0);
    let mut options = ReadOptions::default();
    options.n_threads = Some(1);
    change(&mut options);
    let mut reader = opened.read(&options).unwrap();
    let heights = reader.by_ref().take(batches).map(|batch| batch.unwrap().height).collect();
    let bytes = counts.lock().unwrap().1;
    (heights, reader.stats(), bytes)
}

#[test]
fn the_first_rows_take_one_block() {
    for codec in ["deflate", "null"] {
        let file = file(codec, 400, 1000);
        assert!(file.len() > 4 << 20);
        for threads in [1, 4] {
            let (heights, stats, bytes) = read(&file, usize::MAX, |options| {
                options.length = Some(10);
                options.n_threads = Some(threads);
            });
            assert_eq!((heights, stats.blocks_read, stats.rows_decoded), (vec![10], 1, 10));
            assert!(stats.blocks_decompressed <= 1 && bytes <= 64 << 10, "{stats:?}");
        }
    }
}

#[test]
fn rows_in_the_middle_take_their_blocks() {
    let file = file("deflate", 400, 1000);
    let (heights, stats, bytes) = read(&file, usize::MAX, |options| {
        (options.offset, options.length) = (200_990, Some(20));
    });
    assert_eq!((heights.iter().sum::<usize>(), stats.rows_decoded), (20, 20));
    assert_eq!((stats.blocks_skipped, stats.blocks_decompressed), (200, 2));
    assert!(bytes <= 200 * 64 + (128 << 10), "{bytes}");
}

#[test]
fn a_slice_begins_near_its_block() {
    let bytes = file("null", 1200, 1000);
    assert!(bytes.len() > 18 << 20, "too small for several threads");
    for counted in [false, true] {
        for offset in [0, 1, 999, 333_333, 1_199_990, 1_199_999, 1_200_000] {
            let counts = Arc::new(Mutex::new((0, 0)));
            let source = Arc::new(Counting(MemorySource::new(bytes.clone()), counts.clone()));
            let opened = ContainerFile::open(source, &OpenOptions::default()).unwrap();
            if counted {
                assert_eq!(opened.count_rows(None).unwrap(), 1_200_000);
            }
            *counts.lock().unwrap() = (0, 0);
            let mut options = ReadOptions::default();
            (options.offset, options.length) = (offset, Some(3));
            let mut reader = opened.read(&options).unwrap();
            let ids = |batch: Result<Batch>| {
                let column = batch.unwrap().arrays[0].clone();
                column
                    .as_any()
                    .downcast_ref::<PrimitiveArray<i64>>()
                    .unwrap()
                    .values_iter()
                    .copied()
                    .collect::<Vec<_>>()
            };
            let found: Vec<_> = reader.by_ref().flat_map(ids).collect();
            assert_eq!(found, (offset as i64..1_200_000).take(3).collect::<Vec<_>>(), "row {offset}");
            assert_eq!(reader.stats().blocks_skipped, offset / 1000, "row {offset}");
            let reads = counts.lock().unwrap().0;
            assert!(!counted || reads <= 24, "{reads} for row {offset}");
        }
    }
}

#[test]
fn many_rows_read_little_more_than_they_are() {
    let file = file("deflate", 400, 1000);
    let (_, stats, bytes) = read(&file, usize::MAX, |options| options.length = Some(100_000));
    assert_eq!((stats.rows_decoded, stats.blocks_decompressed), (100_000, 100));
    assert!(bytes <= file.len() / 4 + (512 << 10), "{bytes} of {}", file.len());
}

#[test]
fn who_stops_after_a_batch_has_had_a_few_blocks_decoded() {
    for file in [file("deflate", 400, 1000), file("null", 400, 1000), file("null", 1, 400_000)] {
        let (heights, stats, bytes) = read(&file, 1, |_| {});
        assert!(heights[0] <= 10_000, "{heights:?}");
        assert!(stats.rows_decoded <= 10_000 && bytes <= 256 << 10, "{stats:?}");
    }
}

#[test]
fn whole_files_come_in_whole_batches() {
    for file in [file("deflate", 2000, 1000), file("null", 2000, 1000), file("null", 1, 2_000_000)] {
        let (heights, stats, bytes) = read(&file, usize::MAX, |_| {});
        assert_eq!(heights.iter().sum::<usize>(), 2_000_000);
        assert!(heights.len() <= 26, "{heights:?}");
        assert!(heights[3..heights.len() - 6].iter().all(|height| (75_000..=125_000).contains(height)), "{heights:?}");
        assert_eq!(stats.rows_decoded, 2_000_000);
        assert_eq!(stats.bytes_read, file.len() as u64);
        // What a task leaves of a window is cut out of memory again with the next one.
        assert!(bytes <= file.len() / 3 * 4, "{bytes} of {}", file.len());
    }
}

#[test]
fn a_small_file_is_one_batch() {
    let file = file("deflate", 12, 1000);
    assert!((100 << 10..256 << 10).contains(&file.len()));
    assert_eq!(read(&file, usize::MAX, |_| {}).0, [12_000]);
}

/// Memory goes by values where they take fewer bytes than one each, whichever way blocks come.
#[test]
fn rows_of_many_values_and_few_bytes_come_in_small_batches() {
    let fields: Vec<_> = (0..2000).map(|at| format!(r#"{{"name":"f{at}","type":"F"}}"#)).collect();
    let fields = fields.join(",").replacen("\"F\"", r#"{"type":"fixed","name":"F","size":0}"#, 1);
    let schema = |more: &str| format!(r#"{{"type":"record","name":"R","fields":[{fields}{more}]}}"#);
    for (more, datum) in [("", &[][..]), (r#",{"name":"b","type":"boolean"}"#, &[1])] {
        for (blocks, rows) in [(1, 8_000), (20, 400)] {
            let mut container = Container::new(&schema(more), "null");
            for _ in 0..blocks {
                container = container.block(rows, datum.repeat(rows as usize));
            }
            let file = container.build();
            let check = |heights: &[usize], files: usize| {
                assert_eq!(heights.iter().sum::<usize>(), 8_000 * files);
                assert!(heights.iter().all(|height| height * 2000 < 4 << 20), "{heights:?}");
            };
            for ignore_errors in [false, true] {
                let change = |options: &mut ReadOptions| {
                    (options.batch_bytes, options.ignore_errors) = (1 << 20, ignore_errors);
                };
                check(&read(&file, usize::MAX, change).0, 1);
                let input = |_| FileInput::Source(Arc::new(MemorySource::new(file.clone())));
                let set = FileSet::new((0..3).map(input), &OpenOptions::default()).unwrap();
                let mut options = ReadOptions::default();
                change(&mut options);
                let heights: Vec<_> = set.read(&options).unwrap().map(|batch| batch.unwrap().height).collect();
                check(&heights, 3);
            }
        }
    }
}

/// No batch has no rows, and none has more than 32 bits count.
#[test]
fn the_rows_of_a_batch_are_clamped() {
    let one_block = file("null", 1, 20_000);
    for (batch_rows, least) in [(0, 1), (1, 1), (3, 3), (1000, 1000), (usize::MAX, 20_000)] {
        let (heights, ..) = read(&one_block, usize::MAX, |options| options.batch_rows = batch_rows);
        assert_eq!(heights.iter().sum::<usize>(), 20_000);
        assert!(heights.iter().all(|height| (1..=least * 5 / 4).contains(height)), "{batch_rows}: {}", heights.len());
    }
}
