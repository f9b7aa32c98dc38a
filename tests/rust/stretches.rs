//! Reads that are eager: threads read long stretches of a file, and what comes out is the same as in turn.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use polars_avro::{BatchReader, ContainerFile, MemorySource, OpenOptions, ReadOptions, Result, Source, Stats};

use crate::choices::Choices;
use crate::container::{Container, SYNC, put_bytes, put_long};
use crate::cores::{ids, on, outcome};
use crate::differential::open;

const SCHEMA: &str = r#"{"type": "record", "name": "R", "fields": [{"name": "id", "type": "long"},
    {"name": "text", "type": "bytes"}, {"name": "items", "type": {"type": "array", "items": "int"}}]}"#;

fn eager(threads: usize) -> ReadOptions {
    on(threads, false).with_eager(true)
}

/// Blocks of less than `most` bytes, more than stretches are worth; one row in `markers` holds a sync marker.
fn small_blocks(codec: &str, choices: &mut Choices, most: usize, markers: Option<i64>) -> (Container, i64) {
    let (mut container, mut rows, mut all) = (Container::new(SCHEMA, codec), 0, 0);
    while all < 3 << 20 {
        let (mut bytes, first) = (Vec::new(), rows);
        let len = 1 + choices.below(most);
        while bytes.len() < len {
            put_long(&mut bytes, rows);
            let mut text: Vec<u8> = (0..choices.below(90)).map(|_| choices.below(256) as u8).collect();
            if markers.is_some_and(|every| rows % every == 0) {
                text.extend(SYNC);
            }
            put_bytes(&mut bytes, &text);
            let items = choices.below(4) as i64;
            if items > 0 {
                put_long(&mut bytes, items);
                (0..items).for_each(|item| put_long(&mut bytes, item * 1_000));
            }
            bytes.push(0);
            rows += 1;
        }
        container = container.block(rows - first, &bytes);
        all += container.blocks[container.blocks.len() - 1].bytes.len();
    }
    (container, rows)
}

/// The ids of a file that is sound, and what reading has done.
fn read(file: &ContainerFile, options: &ReadOptions) -> (Vec<i64>, Stats) {
    let mut reader = file.read(options).unwrap();
    let found = reader.by_ref().flat_map(|batch| ids(&batch.unwrap())).collect();
    (found, reader.stats())
}

#[test]
fn rows_come_in_order_and_each_byte_is_read_once() {
    for (seed, codec) in ["null", "snappy", "deflate"].into_iter().enumerate() {
        let mut choices = Choices::Seed(seed as u64);
        let (container, rows) = small_blocks(codec, &mut choices, 30_000, None);
        let bytes = container.build();
        let (size, file) = (bytes.len() as u64, open(bytes).unwrap());
        for threads in [1, 2, 4] {
            for batch_rows in [300, 100_000] {
                let mut options = eager(threads);
                options.batch_rows = batch_rows;
                let (found, stats) = read(&file, &options);
                assert!(found.iter().copied().eq(0..rows), "{codec}, {threads} threads, batches of {batch_rows}");
                let counted = (stats.blocks_read, stats.bytes_read, stats.rows_decoded);
                assert_eq!(counted, (container.blocks.len() as u64, size, rows as u64), "{codec}, {threads} threads");
            }
        }
    }
}

#[test]
fn batches_fill_memory_and_are_few() {
    let (container, rows) = small_blocks("null", &mut Choices::Seed(5), 10_000, None);
    let file = open(container.build()).unwrap();
    let heights = |options: &ReadOptions| file.read(options).unwrap().map(|b| b.unwrap().height).collect::<Vec<_>>();
    let mut options = eager(2);
    options.batch_rows = 3_000;
    let found = heights(&options);
    assert_eq!(found.iter().sum::<usize>() as i64, rows);
    // At least as many as are asked for, and a size of the allocator's: 3 * 1024.
    assert!(found.iter().filter(|height| **height == 3_072).count() > found.len() / 2, "{found:?}");
    assert!(found[1..].iter().all(|height| *height <= 3_072), "{found:?}");
    assert!(heights(&eager(2)).len() < heights(&on(2, false)).len() + 4);
}

#[test]
fn a_marker_inside_of_a_value_is_no_boundary() {
    for (every, codec) in [(1, "null"), (40, "null"), (2_000, "null"), (1, "snappy")] {
        let mut choices = Choices::Seed(every as u64);
        let (container, rows) = small_blocks(codec, &mut choices, 30_000, Some(every));
        let file = open(container.build()).unwrap();
        for threads in [1, 2, 4] {
            let (found, stats) = read(&file, &eager(threads));
            assert!(found.iter().copied().eq(0..rows), "every {every}, {codec}, {threads} threads");
            // The first marker behind a place in the file is one of a value, so blocks are read again.
            let again = stats.blocks_read > container.blocks.len() as u64;
            assert!(again || every > 1 || codec != "null", "every {every}, {threads} threads");
        }
    }
}

/// A value that is a file itself, with the same sync marker: a false boundary with sound blocks behind it.
#[test]
fn a_file_inside_of_a_value_is_no_part_of_the_one_around_it() {
    let (inner, _) = small_blocks("null", &mut Choices::Seed(1), 2_000, None);
    let inner: Vec<u8> = inner.build().into_iter().take(60_000).collect();
    let (mut container, mut rows) = (Container::new(SCHEMA, "null"), 0);
    for _ in 0..60 {
        let mut bytes = Vec::new();
        put_long(&mut bytes, rows);
        put_bytes(&mut bytes, &inner);
        bytes.push(0);
        container = container.block(1, &bytes);
        rows += 1;
    }
    let file = open(container.build()).unwrap();
    for threads in [1, 2, 4] {
        let (found, stats) = read(&file, &eager(threads));
        assert!(found.iter().copied().eq(0..rows), "{threads} threads");
        assert!(stats.blocks_read > 60);
    }
}

#[test]
fn damage_is_told_as_in_turn() {
    let (mut told, mut kinds) = (0, [0; 6]);
    for seed in 0..40 {
        let mut choices = Choices::Seed(seed);
        let codec = choices.pick(&["null", "snappy", "deflate"]);
        let markers = choices.pick(&[None, None, Some(100), Some(3_000)]);
        let most = choices.pick(&[3_000, 30_000, 90_000]);
        let (mut container, _) = small_blocks(codec, &mut choices, most, markers);
        for _ in 0..=choices.below(2) {
            let (at, kind) = (choices.below(container.blocks.len()), choices.below(6));
            let block = &mut container.blocks[at];
            kinds[kind] += 1;
            match kind {
                0 => block.sync[3] ^= 1,
                1 => block.size += choices.pick(&[-7, 1, 5_000, 400_000, 1 << 40]),
                2 => block.count += choices.pick(&[-1, 1]),
                3 => block.bytes.truncate(block.bytes.len() / 2),
                4 => {
                    let place = choices.below(block.bytes.len());
                    block.bytes[place] ^= 0x80;
                }
                // Blocks that are in the file twice, and are not damage.
                _ => {
                    let again = block.clone();
                    container.blocks.insert(at, again);
                }
            }
        }
        let mut bytes = container.build();
        if seed % 3 == 0 {
            bytes.truncate(bytes.len() - choices.below(40_000));
        }
        let file = open(bytes).unwrap();
        let (found, error, _) = outcome(&file, &on(1, false));
        told += usize::from(error.is_some());
        for threads in [1, 2, 4] {
            let other = outcome(&file, &eager(threads));
            assert_eq!(other.1, error, "seed {seed}, {threads} threads");
            let common = if error.is_some() { found.len().min(other.0.len()) } else { found.len().max(other.0.len()) };
            assert!(found.iter().take(common).eq(other.0.iter().take(common)), "seed {seed}, {threads} threads");
        }
    }
    assert!(told > 25 && kinds.iter().all(|kind| *kind > 2), "{told} errors, {kinds:?}");
}

#[test]
fn other_options_give_what_they_give_in_turn() {
    let (container, rows) = small_blocks("snappy", &mut Choices::Seed(9), 20_000, Some(700));
    let bytes = container.build();
    let size = bytes.len() as u64;
    let file = open(bytes).unwrap();
    let all = eager(2);
    // Parts by bytes tile the file.
    let parts = [0..size / 7, size / 7..size / 2, size / 2..size - 3, size - 3..size];
    let found: Vec<_> = parts.into_iter().flat_map(|part| read(&file, &all.clone().with_byte_range(part)).0).collect();
    assert!(found.iter().copied().eq(0..rows));
    // What has no stretches: rows that are counted, and blocks that are left out.
    let found = read(&file, &all.clone().with_offset(5).with_length(rows as u64 - 9)).0;
    assert!(found.iter().copied().eq(5..rows - 4));
    assert!(read(&file, &all.clone().with_ignore_errors(true)).0.iter().copied().eq(0..rows));
    let batch = file.read(&all.clone().with_row_index("row", 3)).unwrap().last().unwrap().unwrap();
    assert_eq!(batch.fields[0].name, "row");
    // Columns, none of them too, and the number of the file.
    let reader = file.read(&all.clone().with_columns(["items", "id"]).with_file_index("file")).unwrap();
    let names: Vec<_> = reader.fields().iter().map(|field| field.name.to_string()).collect();
    assert_eq!(names, ["items", "id", "file"]);
    assert_eq!(reader.map(|batch| batch.unwrap().height as i64).sum::<i64>(), rows);
    let reader = file.read(&all.with_columns(Vec::<String>::new())).unwrap();
    assert_eq!(reader.map(|batch| batch.unwrap().height as i64).sum::<i64>(), rows);
}

#[test]
fn blocks_may_become_large() {
    let (mut container, mut rows) = small_blocks("null", &mut Choices::Seed(2), 10_000, None);
    for len in [100_000, 200_000, 3_000_000, 1_000, 20_000_000, 150_000] {
        let (mut bytes, first) = (Vec::new(), rows);
        while bytes.len() < len {
            put_long(&mut bytes, rows);
            put_bytes(&mut bytes, &[7; 300]);
            bytes.push(0);
            rows += 1;
        }
        container = container.block(rows - first, &bytes);
    }
    let file = open(container.build()).unwrap();
    for threads in [1, 2, 4] {
        let (found, stats) = read(&file, &eager(threads));
        assert!(found.iter().copied().eq(0..rows), "{threads} threads");
        assert_eq!(stats.blocks_read, container.blocks.len() as u64);
    }
}

/// Whether the last stretch of so many bytes, read on one thread, is shorter than a sync marker.
fn ends_inside_of_a_marker(bytes: usize) -> bool {
    let mut left = bytes;
    while left > 128 << 10 {
        left -= (left / 2).clamp(128 << 10, 4 << 20);
    }
    (1..16).contains(&left)
}

#[test]
fn a_stretch_that_begins_in_the_last_marker_of_a_range_is_empty() {
    let (mut container, rows) = small_blocks("null", &mut Choices::Seed(4), 10_000, None);
    let file = open(container.build()).unwrap();
    let first = file.read(&eager(1)).unwrap().next().unwrap().unwrap().height as i64;
    let (mut counted, mut passed, mut known) = (0, 0, Vec::new());
    for block in &container.blocks {
        block.build(&mut known);
        counted += block.count;
        passed = if counted == first { known.len() } else { passed };
    }
    assert!(passed > 0, "the first batch ends where a block does");
    // One block more, of such a size.
    let one = |len: usize| {
        let mut bytes = vec![0];
        put_bytes(&mut bytes, &vec![7; len]);
        bytes.push(0);
        Container::new(SCHEMA, "null").block(1, &bytes).blocks.remove(0)
    };
    let mut others = Vec::new();
    one(2_000_000).build(&mut others);
    // Lengths above 1,048,575 take as many bytes themselves.
    let left = |len: usize| known.len() - passed + others.len() + len - 2_000_000;
    let len = (1_060_000..3_000_000).find(|len| ends_inside_of_a_marker(left(*len))).unwrap();
    container.blocks.push(one(len));
    let stop = container.build().len() as u64;
    assert_eq!(stop as usize - container.header().len() - passed, left(len));
    for at in 0..40 {
        container.blocks.push(one(at));
    }
    let file = open(container.build()).unwrap();
    let (found, _) = read(&file, &eager(1).with_byte_range(0..stop - 16));
    assert_eq!(found.len() as i64, rows + 1);
}

/// Counts reads, each of which takes a while.
struct SlowSource(MemorySource, AtomicUsize);

impl Source for SlowSource {
    fn name(&self) -> &'static str {
        "slow.avro"
    }

    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, offset: u64, len: usize) -> Result<polars_buffer::Buffer<u8>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(3));
        self.0.read_at(offset, len)
    }
}

static SMALL_BLOCKS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let (mut container, _) = small_blocks("null", &mut Choices::Seed(3), 20_000, None);
    let blocks = container.blocks.clone();
    (0..5).for_each(|_| container.blocks.extend(blocks.iter().cloned()));
    container.build()
});

/// Asserts that what `end` does with a reader leaves most of a slow source unread. Each thread finds where its stretch begins
/// and ends, reads a piece, and notices that nobody wants it; `end` gives how many reads there were before.
fn assert_ends_early(end: impl FnOnce(BatchReader, &dyn Fn() -> usize) -> usize) {
    let source = Arc::new(SlowSource(MemorySource::new(SMALL_BLOCKS.clone()), AtomicUsize::new(0)));
    let file = ContainerFile::open(source.clone() as Arc<dyn Source>, &OpenOptions::default()).unwrap();
    let rows: usize = file.read(&eager(4)).unwrap().map(|batch| batch.unwrap().height).sum();
    assert!(rows > 100_000);
    let whole = source.1.swap(0, Ordering::Relaxed);
    let reads = || source.1.load(Ordering::Relaxed);
    let (start, mut before) = (end(file.read(&eager(4)).unwrap(), &reads), usize::MAX);
    while before != reads() {
        before = reads();
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(before <= start + 4 * 12, "{} reads after the end", before - start);
    assert!(start + 4 * 12 < whole, "{start} of {whole} reads");
}

#[test]
fn stretches_end_early_when_the_reader_is_dropped() {
    assert_ends_early(|mut reader, reads| {
        drop(reader.next().unwrap().unwrap());
        drop(reader);
        reads()
    });
}

#[test]
fn a_read_that_another_thread_waits_for_can_be_cancelled() {
    assert_ends_early(|mut reader, reads| {
        let canceller = reader.canceller();
        std::thread::scope(|scope| {
            // The first stretch takes several times as long.
            let thread = scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(10));
                canceller.cancel();
            });
            // It ends behind its first task, without an error, and is not begun again in turn.
            let rows: usize = reader.by_ref().map(|batch| batch.unwrap().height).sum();
            thread.join().unwrap();
            assert!(rows < 10_000, "{rows} rows");
        });
        assert!(reader.next().is_none());
        // Before it ended: at most those of the 10 ms and what is said above.
        let reads = reads();
        assert!(reads <= 4 * 12, "{reads} reads");
        reads
    });
}

#[test]
fn a_read_that_has_gone_on_in_turn_can_be_cancelled() {
    // A marker in every row: the second stretch does not begin where the first one ends.
    let (container, rows) = small_blocks("null", &mut Choices::Seed(6), 20_000, Some(1));
    let options = eager(2).with_batch_rows(100);
    let mut reader = open(container.build()).unwrap().read(&options).unwrap();
    let canceller = reader.canceller();
    let mut found = 0;
    while found < rows / 2 {
        found += reader.next().unwrap().unwrap().height as i64;
    }
    canceller.cancel();
    assert!(reader.next().is_none());
}

#[test]
fn cancelling_a_read_that_is_over_does_nothing() {
    let (container, rows) = small_blocks("null", &mut Choices::Seed(5), 20_000, None);
    let file = open(container.build()).unwrap();
    let mut reader = file.read(&eager(2)).unwrap();
    let canceller = reader.canceller();
    assert_eq!(reader.by_ref().map(|batch| batch.unwrap().height as i64).sum::<i64>(), rows);
    canceller.cancel();
    drop(reader);
    canceller.cancel();
}
