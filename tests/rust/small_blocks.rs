//! Reads of many small blocks on several threads: what comes out, and how early they end when nobody wants the rest.

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

/// Blocks of less than `most` bytes, three megabytes of them; one row in `markers` holds a sync marker.
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
                let mut options = on(threads, false);
                options.batch_rows = batch_rows;
                let (found, stats) = read(&file, &options);
                assert!(found.iter().copied().eq(0..rows), "{codec}, {threads} threads, batches of {batch_rows}");
                let counted = (stats.blocks_read, stats.bytes_read, stats.rows_decoded);
                assert_eq!(counted, (container.blocks.len() as u64, size, rows as u64), "{codec}, {threads} threads");
            }
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
        let (found, stats) = read(&file, &on(threads, false));
        assert!(found.iter().copied().eq(0..rows), "{threads} threads");
        assert_eq!(stats.blocks_read, 60);
    }
}

#[test]
fn damage_does_not_depend_on_threads() {
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
            let other = outcome(&file, &on(threads, false));
            assert_eq!(other.1, error, "seed {seed}, {threads} threads");
            let common = if error.is_some() { found.len().min(other.0.len()) } else { found.len().max(other.0.len()) };
            assert!(found.iter().take(common).eq(other.0.iter().take(common)), "seed {seed}, {threads} threads");
        }
    }
    assert!(told > 25 && kinds.iter().all(|kind| *kind > 2), "{told} errors, {kinds:?}");
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
        let (found, stats) = read(&file, &on(threads, false));
        assert!(found.iter().copied().eq(0..rows), "{threads} threads");
        assert_eq!(stats.blocks_read, container.blocks.len() as u64);
    }
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

/// Asserts that what `end` does with a reader leaves most of a slow source unread; `end` gives how many reads there were
/// before.
fn assert_ends_early(end: impl FnOnce(BatchReader, &dyn Fn() -> usize) -> usize) {
    let source = Arc::new(SlowSource(MemorySource::new(SMALL_BLOCKS.clone()), AtomicUsize::new(0)));
    let file = ContainerFile::open(source.clone() as Arc<dyn Source>, &OpenOptions::default()).unwrap();
    let rows: usize = file.read(&on(4, false)).unwrap().map(|batch| batch.unwrap().height).sum();
    assert!(rows > 100_000);
    let whole = source.1.swap(0, Ordering::Relaxed);
    let reads = || source.1.load(Ordering::Relaxed);
    let (start, mut before) = (end(file.read(&on(4, false)).unwrap(), &reads), usize::MAX);
    while before != reads() {
        before = reads();
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(before <= start + 4 * 12, "{} reads after the end", before - start);
    assert!(start + 4 * 12 < whole, "{start} of {whole} reads");
}

#[test]
fn tasks_end_early_when_the_reader_is_dropped() {
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
fn cancelling_a_read_that_is_over_does_nothing() {
    let (container, rows) = small_blocks("null", &mut Choices::Seed(5), 20_000, None);
    let file = open(container.build()).unwrap();
    let mut reader = file.read(&on(2, false)).unwrap();
    let canceller = reader.canceller();
    assert_eq!(reader.by_ref().map(|batch| batch.unwrap().height as i64).sum::<i64>(), rows);
    canceller.cancel();
    drop(reader);
    canceller.cancel();
}
