//! Reading with a filter: what comes out, and what is spared.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use polars_arrow::array::PrimitiveArray;
use polars_arrow::bitmap::Bitmap;
use polars_avro::{Batch, Error, ErrorKind, ReadOptions, Result, RowFilter, Stats};

use crate::columns;
use crate::container::{Container, put_bytes, put_long};
use crate::differential::{Table, open, read};
use crate::expected::Cell;

/// Lets `share` of 16 different rows pass, by the values of these columns.
#[derive(Debug)]
pub(crate) struct Sieve {
    pub(crate) columns: Vec<String>,
    pub(crate) share: u64,
}

impl Sieve {
    fn passes<'c>(&self, cells: impl Iterator<Item = &'c Cell>) -> bool {
        let mut hasher = DefaultHasher::new();
        cells.for_each(|cell| format!("{cell:?}").hash(&mut hasher));
        hasher.finish() % 16 < self.share
    }

    /// What is left of a table.
    pub(crate) fn filter(&self, table: Table) -> Table {
        let place = |name: &String| table.columns.iter().position(|(column, _)| column == name).unwrap();
        let places: Vec<_> = self.columns.iter().map(place).collect();
        let passes = |row: &Vec<Cell>| self.passes(places.iter().map(|&at| &row[at]));
        let rows = table.rows.into_iter().filter(passes).collect();
        Table { columns: table.columns, rows }
    }
}

impl RowFilter for Sieve {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn evaluate(&self, batch: Batch) -> Result<Bitmap> {
        let names: Vec<_> = batch.fields.iter().map(|field| field.name.to_string()).collect();
        let cells: Vec<_> = batch.arrays.iter().map(|array| columns::cells(array.as_ref())).collect();
        let columns: Vec<_> =
            self.columns.iter().map(|name| &cells[names.iter().position(|n| n == name).unwrap()]).collect();
        Ok((0..batch.height).map(|row| self.passes(columns.iter().map(|column| &column[row]))).collect())
    }
}

const SCHEMA: &str = r#"{"type": "record", "name": "R", "fields": [
    {"name": "id", "type": "long"}, {"name": "text", "type": "string"}, {"name": "half", "type": "long"}]}"#;

/// Numbered rows in blocks of `per_block`.
fn file(codec: &str, rows: i64, per_block: i64, text: &[u8]) -> Vec<u8> {
    let mut container = Container::new(SCHEMA, codec);
    for start in (0..rows).step_by(per_block as usize) {
        let mut datums = Vec::new();
        let stop = rows.min(start + per_block);
        for id in start..stop {
            put_long(&mut datums, id);
            put_bytes(&mut datums, text);
            put_long(&mut datums, id / 2);
        }
        container = container.block(stop - start, datums);
    }
    container.build()
}

/// Ids for which the function says yes; counts how often it was asked.
struct Ids<F>(Vec<String>, AtomicUsize, F);

impl<F> std::fmt::Debug for Ids<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl<F: Fn(i64) -> bool + Send + Sync> RowFilter for Ids<F> {
    fn columns(&self) -> &[String] {
        &self.0
    }

    fn evaluate(&self, batch: Batch) -> Result<Bitmap> {
        self.1.fetch_add(1, Ordering::Relaxed);
        let ids: &PrimitiveArray<i64> = batch.arrays[0].as_any().downcast_ref().unwrap();
        Ok(ids.values().iter().map(|&id| (self.2)(id)).collect())
    }
}

fn ids(passes: impl Fn(i64) -> bool + Send + Sync + 'static) -> Arc<Ids<impl Fn(i64) -> bool + Send + Sync>> {
    Arc::new(Ids(vec!["id".into()], AtomicUsize::new(0), passes))
}

fn options(filter: Arc<dyn RowFilter>) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.filter = Some(filter);
    options.n_threads = Some(1);
    options
}

/// The ids that come out, and what was done.
fn read_ids(file: Vec<u8>, options: &ReadOptions) -> (Vec<i64>, Stats) {
    let mut reader = open(file).unwrap().read(options).unwrap();
    let mut found = Vec::new();
    for batch in reader.by_ref() {
        let batch = batch.unwrap();
        let at = batch.fields.iter().position(|field| field.name == "id").unwrap();
        let ids: &PrimitiveArray<i64> = batch.arrays[at].as_any().downcast_ref().unwrap();
        found.extend(ids.values().iter());
    }
    (found, reader.stats())
}

#[test]
fn what_does_not_pass_is_not_decoded() {
    for codec in ["null", "deflate"] {
        let (found, stats) = read_ids(file(codec, 30_000, 700, b"some text"), &options(ids(|id| id % 1000 == 7)));
        assert_eq!(found, (0..30).map(|i| i * 1000 + 7).collect::<Vec<_>>());
        assert_eq!((stats.rows_evaluated, stats.rows_filtered_out, stats.rows_decoded), (30_000, 29_970, 30));
    }
}

#[test]
fn values_of_rows_that_do_not_pass_are_not_looked_at() {
    let broken = file("null", 1000, 100, b"\xff\xfe");
    let (found, stats) = read_ids(broken.clone(), &options(ids(|_| false)));
    assert_eq!((found.len(), stats.rows_filtered_out), (0, 1000));
    let mut reader = open(broken).unwrap().read(&options(ids(|id| id == 345))).unwrap();
    let error = reader.find_map(Result::err).unwrap();
    let position = error.position();
    assert_eq!((position.block, position.record, position.path.as_deref()), (Some(3), Some(45), Some("text")));
}

#[test]
fn a_block_that_is_cut_short_is_found_whatever_passes() {
    let mut container = Container::new(SCHEMA, "null").block(1, [2, 2, b'x', 2]);
    container = container.block(2, [2, 2, b'x', 2, 4, 2, b'x']);
    let mut reader = open(container.build()).unwrap().read(&options(ids(|_| false))).unwrap();
    let error = reader.find_map(Result::err).unwrap();
    assert_eq!((error.kind(), error.position().record), (ErrorKind::Data, Some(1)));
    let container = Container::new(SCHEMA, "null").block(1, [2, 2, b'x', 2, 0]);
    let options = options(ids(|_| false)).with_strict(true);
    let mut reader = open(container.build()).unwrap().read(&options).unwrap();
    assert!(reader.find_map(Result::err).unwrap().message().contains("left after"));
}

#[test]
fn a_filter_that_most_rows_pass_is_asked_now_and_then() {
    let filter = ids(|_| true);
    let mut options = options(filter.clone());
    options.batch_rows = 1000;
    let (found, stats) = read_ids(file("null", 200_000, 1000, b""), &options);
    assert_eq!(found, (0..200_000).collect::<Vec<_>>());
    let asked = filter.1.load(Ordering::Relaxed);
    assert!((5..=20).contains(&asked), "asked {asked} times in some 200 tasks");
    assert_eq!((stats.rows_filtered_out, stats.rows_decoded), (0, 200_000));
}

#[test]
fn a_task_most_of_whose_first_rows_pass_is_not_tested_to_its_end() {
    for per_block in [700, 5000, 60_000] {
        let mut options = options(ids(|id| id % 100 != 3));
        options.row_index = Some(("row".into(), 10));
        let file = open(file("deflate", 60_000, per_block, b"some text")).unwrap();
        let mut reader = file.read(&options).unwrap();
        let mut found = Vec::new();
        for batch in reader.by_ref() {
            let batch = batch.unwrap();
            let rows: &PrimitiveArray<u32> = batch.arrays[0].as_any().downcast_ref().unwrap();
            let ids: &PrimitiveArray<i64> = batch.arrays[1].as_any().downcast_ref().unwrap();
            assert!(ids.values().iter().zip(rows.values().iter()).all(|(&id, &row)| id + 10 == i64::from(row)));
            found.extend(ids.values().iter().copied());
        }
        let stats = reader.stats();
        assert!((4096..10_000).contains(&stats.rows_evaluated), "{stats:?}");
        assert_eq!(
            (found.len() as u64 + stats.rows_filtered_out, stats.rows_filtered_out),
            (60_000, stats.rows_evaluated.div_ceil(100))
        );
        assert_eq!(found.iter().filter(|&id| id % 100 != 3).count(), 59_400);
        assert!(found.is_sorted());
    }
}

#[test]
fn a_filter_is_asked_again_where_fewer_rows_pass() {
    let filter = ids(|id| id < 50_000 || id % 100 == 0);
    let mut options = options(filter);
    options.batch_rows = 1000;
    let (found, stats) = read_ids(file("null", 200_000, 1000, b""), &options);
    assert_eq!(found.iter().filter(|&&id| id < 50_000 || id % 100 == 0).count(), 51_500);
    assert!(stats.rows_filtered_out > 120_000, "{stats:?}");
    assert!(stats.rows_evaluated < 160_000, "{stats:?}");
}

#[test]
fn threads_that_find_that_most_rows_pass_ask_no_more_than_one() {
    let filter = ids(|_| true);
    let mut options = options(filter.clone());
    (options.batch_rows, options.n_threads) = (1000, Some(4));
    let (found, stats) = read_ids(file("deflate", 400_000, 500, b"some text"), &options);
    assert_eq!((found.len(), stats.rows_filtered_out), (400_000, 0));
    assert!(stats.rows_evaluated < 80_000, "{stats:?}");
}

#[test]
fn a_filter_of_all_wanted_columns_is_not_asked() {
    let filter = ids(|_| false);
    let mut options = options(filter.clone());
    options.columns = Some(vec!["id".into()]);
    let (found, stats) = read_ids(file("null", 1000, 100, b""), &options);
    assert_eq!((found.len(), stats.rows_evaluated, filter.1.load(Ordering::Relaxed)), (1000, 0, 0));
}

#[test]
fn a_filter_sees_the_row_index_and_the_slice() {
    let sieve = Arc::new(Sieve { columns: vec!["row".into(), "id".into()], share: 5 });
    let mut options = options(sieve.clone());
    options.filter = None;
    options.row_index = Some(("row".into(), 10));
    (options.offset, options.length) = (333, Some(2000));
    let file = open(file("deflate", 3000, 70, b"x")).unwrap();
    let expected = sieve.filter(read(&file, &options).unwrap());
    options.filter = Some(sieve);
    assert_eq!(read(&file, &options).unwrap(), expected);
    assert!(expected.rows.len() > 100);
}

#[test]
fn memory_of_a_task_is_bounded_by_asking_more_often() {
    let filter = ids(|id| id % 50 == 0);
    let mut options = options(filter.clone());
    options.batch_bytes = 10_000;
    let (found, _) = read_ids(file("null", 20_000, 20_000, b"some text"), &options);
    assert_eq!(found.len(), 400);
    assert!(filter.1.load(Ordering::Relaxed) >= 4);
}

#[derive(Debug)]
struct Wrong(Vec<String>, bool);

impl RowFilter for Wrong {
    fn columns(&self) -> &[String] {
        &self.0
    }

    fn evaluate(&self, batch: Batch) -> Result<Bitmap> {
        if self.1 { Err(Error::new(ErrorKind::Callback, "no")) } else { Ok(Bitmap::new_zeroed(batch.height + 1)) }
    }
}

#[test]
fn a_filter_that_fails_ends_the_read() {
    for fails in [true, false] {
        let mut options = options(Arc::new(Wrong(vec!["id".into()], fails)));
        for n_threads in [1, 4] {
            options.n_threads = Some(n_threads);
            let batches: Vec<_> = open(file("null", 200_000, 1000, b"text")).unwrap().read(&options).unwrap().collect();
            assert_eq!(batches.last().unwrap().as_ref().unwrap_err().kind(), ErrorKind::Callback);
            assert_eq!(batches.iter().filter(|batch| batch.is_err()).count(), 1);
        }
    }
    let options = options(Arc::new(Wrong(vec!["none".into()], true)));
    assert_eq!(open(file("null", 1, 1, b"")).unwrap().read(&options).err().unwrap().kind(), ErrorKind::Argument);
}
