//! Threads that share a read: they fetch side by side, and what comes out does not depend on them.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use polars_arrow::array::PrimitiveArray;
use polars_arrow::bitmap::Bitmap;
use polars_avro::{
    Batch, ContainerFile, Error, FileInput, FileSet, MemorySource, OpenOptions, ReadOptions, Result, RowFilter, Source,
};

use crate::choices::Choices;
use crate::container::{Container, SYNC, put_bytes, put_long};
use crate::differential::open;

const SCHEMA: &str =
    r#"{"type": "record", "name": "R", "fields": [{"name": "id", "type": "long"}, {"name": "text", "type": "bytes"}]}"#;

/// Rows numbered from `first` on, of `bytes` bytes or so together; texts hold sync markers where `markers`.
fn datums(first: i64, bytes: usize, choices: &mut Choices, markers: bool) -> (i64, Vec<u8>) {
    let (mut out, mut rows) = (Vec::new(), 0);
    while out.len() < bytes {
        put_long(&mut out, first + rows);
        let mut text: Vec<u8> = (0..choices.below(60)).map(|_| choices.below(256) as u8).collect();
        if markers && rows % 97 == 0 {
            text.extend(SYNC);
        }
        put_bytes(&mut out, &text);
        rows += 1;
    }
    (rows, out)
}

/// A file of blocks of very different sizes, and how many rows it has.
fn uneven(codec: &str, seed: u64, markers: bool) -> (Container, i64) {
    let mut choices = Choices::Seed(seed);
    let (mut container, mut rows) = (Container::new(SCHEMA, codec), 0);
    for _ in 0..60 {
        let bytes = choices.pick(&[20, 3_000, 16_000, 40_000, 150_000, 400_000, 1_500_000]);
        let (more, block) = datums(rows, bytes, &mut choices, markers);
        container = container.block(more, block);
        rows += more;
    }
    (container, rows)
}

pub(crate) fn ids(batch: &Batch) -> Vec<i64> {
    batch.arrays[0].as_any().downcast_ref::<PrimitiveArray<i64>>().unwrap().values_iter().copied().collect()
}

/// The ids that come, what ended the read, and where blocks were left out.
pub(crate) type Outcome = (Vec<i64>, Option<String>, Vec<(Option<u64>, Option<u64>)>);

pub(crate) fn outcome(file: &ContainerFile, options: &ReadOptions) -> Outcome {
    let mut reader = file.read(options).unwrap();
    let (mut found, mut bad) = (Vec::new(), Vec::new());
    while let Some(batch) = reader.next() {
        match batch {
            Ok(batch) => found.extend(ids(&batch)),
            Err(error) => return (found, Some(error.to_string()), bad),
        }
        bad.extend(reader.take_bad_blocks().iter().map(|bad| (bad.error.position().offset, bad.rows_lost)));
    }
    bad.extend(reader.take_bad_blocks().iter().map(|bad| (bad.error.position().offset, bad.rows_lost)));
    (found, None, bad)
}

pub(crate) fn on(threads: usize, ignore_errors: bool) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.n_threads = Some(threads);
    options.ignore_errors = ignore_errors;
    options
}

#[test]
fn blocks_of_all_sizes_come_in_order_on_any_number_of_threads() {
    for (seed, codec) in ["null", "snappy", "deflate"].into_iter().enumerate() {
        let (container, rows) = uneven(codec, seed as u64, false);
        let bytes = container.build();
        let size = bytes.len() as u64;
        let file = open(bytes).unwrap();
        for threads in [1, 2, 4] {
            for batch_rows in [300, 100_000] {
                let mut options = on(threads, false);
                options.batch_rows = batch_rows;
                let mut reader = file.read(&options).unwrap();
                let found: Vec<_> = reader.by_ref().flat_map(|batch| ids(&batch.unwrap())).collect();
                assert!(found.iter().copied().eq(0..rows), "{codec}, {threads} threads, batches of {batch_rows}");
                assert_eq!(reader.stats().bytes_read, size, "{codec}, {threads} threads");
            }
            let mut options = on(threads, false);
            (options.offset, options.length) = (rows as u64 / 3, Some(rows as u64 / 2));
            let found: Vec<_> = file.read(&options).unwrap().flat_map(|batch| ids(&batch.unwrap())).collect();
            assert!(found.iter().copied().eq((0..rows).skip(rows as usize / 3).take(rows as usize / 2)), "{codec}");
        }
    }
}

#[test]
fn damage_is_found_in_the_same_place_on_any_number_of_threads() {
    for seed in 0..6 {
        let (mut container, _) = uneven("null", seed, true);
        let mut choices = Choices::Seed(seed + 100);
        for _ in 0..3 {
            let at = choices.below(container.blocks.len());
            let block = &mut container.blocks[at];
            match choices.below(4) {
                0 => block.sync[3] ^= 1,
                1 => block.size += choices.pick(&[-7, 1, 5_000, 1 << 40]),
                2 => block.count += 1,
                _ => block.bytes.truncate(block.bytes.len() / 2),
            }
        }
        let mut bytes = container.build();
        if seed % 2 == 0 {
            bytes.truncate(bytes.len() - 10_000);
        }
        let file = open(bytes).unwrap();
        for ignore_errors in [false, true] {
            let (found, error, bad) = outcome(&file, &on(1, ignore_errors));
            assert!(error.is_some() || !bad.is_empty(), "the damage shows");
            for threads in [2, 4] {
                let other = outcome(&file, &on(threads, ignore_errors));
                assert_eq!((&other.1, &other.2), (&error, &bad), "seed {seed}, {threads} threads, {ignore_errors}");
                // How many rows come before an error depends on how tasks are cut.
                let common =
                    if ignore_errors { found.len().max(other.0.len()) } else { found.len().min(other.0.len()) };
                assert!(found.iter().take(common).eq(other.0.iter().take(common)), "seed {seed}, {threads} threads");
            }
        }
    }
}

/// Readers of whole ranges wait a while for one another.
#[derive(Default)]
struct Meeting {
    /// How many are in a read now, and were at most.
    reading: Mutex<(usize, usize)>,
    changed: Condvar,
}

struct MeetingSource(MemorySource, Arc<Meeting>, bool);

impl Source for MeetingSource {
    fn name(&self) -> &'static str {
        "meeting.avro"
    }

    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, offset: u64, len: usize) -> Result<polars_buffer::Buffer<u8>> {
        if len >= 64 << 10 {
            let Meeting { reading, changed } = &*self.1;
            let mut now = reading.lock().unwrap();
            now.0 += 1;
            now.1 = now.1.max(now.0);
            changed.notify_all();
            let wait = Duration::from_millis(300);
            now = changed.wait_timeout_while(now, wait, |(_, most)| *most < 2).unwrap().0;
            now.0 -= 1;
        }
        self.0.read_at(offset, len)
    }

    fn is_remote(&self) -> bool {
        self.2
    }
}

/// How many reads of whole ranges there were at the same time, at most.
fn side_by_side(bytes: &[u8], is_remote: bool) -> usize {
    let meeting = Arc::new(Meeting::default());
    let source = MeetingSource(MemorySource::new(bytes.to_vec()), meeting.clone(), is_remote);
    let file = ContainerFile::open(Arc::new(source), &OpenOptions::default()).unwrap();
    let rows: usize = file.read(&on(4, false)).unwrap().map(|batch| batch.unwrap().height).sum();
    assert!(rows > 10_000);
    meeting.reading.lock().unwrap().1
}

#[test]
fn threads_fetch_side_by_side() {
    // The pool has four threads, unless another test has started it.
    drop(open(Container::new(SCHEMA, "null").build()));
    for bytes in [16_000, 500_000, 6 << 20] {
        let mut choices = Choices::Seed(7);
        let (mut container, mut rows) = (Container::new(SCHEMA, "null"), 0);
        for _ in 0..(6 << 20) / bytes {
            let (more, block) = datums(rows, bytes, &mut choices, false);
            container = container.block(more, block);
            rows += more;
        }
        let file = container.build();
        assert!(side_by_side(&file, false) >= 2, "blocks of {bytes} bytes");
        // A source that reads ahead itself wants one reader in order.
        assert_eq!(side_by_side(&file[..], true), 1, "blocks of {bytes} bytes");
    }
}

#[test]
fn files_of_a_few_megabytes_come_in_order() {
    let folder = std::env::temp_dir().join(format!("polars_avro-cores-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (mut inputs, mut rows) = (Vec::new(), 0);
    for at in 0..12 {
        let (more, block) = datums(rows, 1_200_000, &mut Choices::Seed(at), false);
        let path = folder.join(format!("{at}.avro"));
        std::fs::write(&path, Container::new(SCHEMA, "snappy").block(more, block).build()).unwrap();
        inputs.push(path);
        rows += more;
    }
    let set = || FileSet::new(inputs.iter().cloned().map(FileInput::Path), &OpenOptions::default()).unwrap();
    for (threads, ignore_errors) in [(1, false), (2, false), (4, false), (4, true)] {
        let mut reader = set().read(&on(threads, ignore_errors)).unwrap();
        let found: Vec<_> = reader.by_ref().flat_map(|batch| ids(&batch.unwrap())).collect();
        assert!(found.iter().copied().eq(0..rows), "{threads} threads");
        assert!(reader.stats().max_open_files <= 2 * (threads as u64 + 2));
    }
    // A file that is cut short is an error after the rows before it.
    let bytes = std::fs::read(&inputs[5]).unwrap();
    std::fs::write(&inputs[5], &bytes[..bytes.len() - 5]).unwrap();
    let mut reader = set().read(&on(2, false)).unwrap();
    let error = reader.by_ref().find_map(Result::err).unwrap();
    assert!(error.to_string().contains("5.avro"), "{error}");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Lets every second row pass, after a while.
#[derive(Debug)]
struct Slow(Vec<String>);

impl RowFilter for Slow {
    fn columns(&self) -> &[String] {
        &self.0
    }

    fn evaluate(&self, batch: Batch) -> std::result::Result<Bitmap, Error> {
        std::thread::sleep(Duration::from_millis(2));
        Ok((0..batch.height).map(|row| row % 2 == 0).collect())
    }
}

#[test]
fn the_times_of_a_read_are_where_it_spent_them() {
    for codec in ["null", "deflate"] {
        let mut container = Container::new(SCHEMA, codec);
        for at in 0..200 {
            let (rows, block) = datums(0, 16_000, &mut Choices::Seed(at), false);
            container = container.block(rows, block);
        }
        let file = open(container.build()).unwrap();
        for threads in [1, 4] {
            let mut options = on(threads, false);
            options.filter = Some(Arc::new(Slow(vec!["id".to_owned()])));
            let mut reader = file.read(&options).unwrap();
            assert_eq!(reader.stats().times, polars_avro::Times::default());
            for batch in reader.by_ref() {
                drop(batch.unwrap());
                std::thread::sleep(Duration::from_millis(5));
            }
            let times = reader.stats().times;
            assert!(times.locked_ns > 0 && times.fetch_ns > 0 && times.decode_ns > 0, "{times:?}");
            assert_eq!(times.decompress_ns > 0, codec == "deflate", "{times:?}");
            assert!(times.filter_ns >= 2_000_000, "{times:?}");
        }
    }
}
