//! Random files: this crate and the naive decoder say the same, however the file is cut and read.

use std::sync::{Arc, Once};

use polars_avro::{ContainerFile, MemorySource, OpenOptions, ReadOptions};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::choices::Choices;
use crate::columns;
use crate::container::{self, CODECS};
use crate::expected::{self, Cell};
use crate::filtering::Sieve;
use crate::naive::Schema;
use crate::schemas;
use crate::values::{self, encode, value};

/// What makes a file and a way to read it.
#[derive(Clone, Debug)]
struct Case {
    schema: Vec<u8>,
    rows: usize,
    values: u64,
    codec: usize,
    reading: Vec<u8>,
}

fn case() -> impl Strategy<Value = Case> {
    let parts = (vec(any::<u8>(), 0..160), 0..60usize, any::<u64>(), 0..CODECS.len(), vec(any::<u8>(), 0..24));
    parts.prop_map(|(schema, rows, values, codec, reading)| Case { schema, rows, values, codec, reading })
}

/// What a reading gave: names and dtypes of the columns, and the rows.
#[derive(Debug, PartialEq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<(String, String)>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// More threads than the machine may have, so that tasks overlap anywhere.
static THREADS: Once = Once::new();

pub(crate) fn open(file: Vec<u8>) -> polars_avro::Result<ContainerFile> {
    THREADS.call_once(|| polars_avro::set_thread_pool_size(4));
    ContainerFile::open(Arc::new(MemorySource::new(file)), &OpenOptions::default())
}

/// Reads everything. Every batch has to be whole: columns as its fields say, all of its height.
pub(crate) fn read(file: &ContainerFile, options: &ReadOptions) -> polars_avro::Result<Table> {
    let reader = file.read(options)?;
    let mut table = Table {
        columns: reader.fields().iter().map(|f| (f.name.to_string(), columns::dtype(f))).collect(),
        rows: Vec::new(),
    };
    for batch in reader {
        let batch = batch?;
        let fields: Vec<_> = batch.fields.iter().map(|f| (f.name.to_string(), columns::dtype(f))).collect();
        assert_eq!(fields, table.columns, "the columns of a batch");
        assert_eq!(batch.arrays.len(), fields.len());
        for (array, field) in batch.arrays.iter().zip(batch.fields.iter()) {
            assert_eq!((array.len(), array.dtype()), (batch.height, &field.dtype));
        }
        let cells: Vec<_> = batch.arrays.iter().map(|array| columns::cells(array.as_ref())).collect();
        table.rows.extend((0..batch.height).map(|row| cells.iter().map(|column| column[row].clone()).collect()));
    }
    Ok(table)
}

/// A way to read a file of `rows` rows with these columns, and what of the whole it gives.
fn reading(choices: &mut Choices, whole: &Table) -> (ReadOptions, Table) {
    let mut options = ReadOptions::default();
    let rows = whole.rows.len();
    options.n_threads = choices.pick(&[Some(1), Some(2), Some(4), None]);
    options.batch_rows = choices.pick(&[100_000, 1, 2, 7, 1000, rows.max(1)]);
    options.batch_bytes = choices.pick(&[16 << 20, 1, 10, 1000]);
    let mut picked: Vec<usize> = (0..whole.columns.len()).collect();
    if choices.one_in(3) {
        // Any columns in any order.
        let keep = choices.below(picked.len() + 1);
        for at in 0..keep {
            let other = at + choices.below(picked.len() - at);
            picked.swap(at, other);
        }
        picked.truncate(keep);
        options.columns = Some(picked.iter().map(|&at| whole.columns[at].0.clone()).collect());
    }
    if choices.one_in(3) {
        options.offset = choices.below(rows + 3) as u64;
        options.length = choices.one_in(3).then_some(u64::MAX);
    }
    if choices.one_in(3) {
        options.length = Some(choices.below(rows + 3) as u64);
    }
    if choices.one_in(3) {
        options.row_index = Some(("row index".into(), choices.below(1000) as u64));
    }
    let expected = expected(&options, &picked, whole);
    (options, expected)
}

fn expected(options: &ReadOptions, picked: &[usize], whole: &Table) -> Table {
    let length = options.length.map_or(usize::MAX, |length| length as usize);
    let rows = whole.rows.iter().enumerate().skip(options.offset as usize).take(length);
    let row = |(at, row): (usize, &Vec<Cell>)| {
        let index = options.row_index.iter().map(|(_, start)| Cell::UInt32(*start as u32 + at as u32));
        index.chain(picked.iter().map(|&column| row[column].clone())).collect()
    };
    let index = options.row_index.iter().map(|(name, _)| (name.clone(), "UInt32".to_owned()));
    Table {
        columns: index.chain(picked.iter().map(|&at| whole.columns[at].clone())).collect(),
        rows: rows.map(row).collect(),
    }
}

/// The file of a case with the rows repeated, its schema and what is in it.
fn write(case: &Case, repeat: usize) -> (Vec<u8>, String, Table) {
    let json = schemas::schema(&mut Choices::tape(&case.schema)).to_string();
    let schema = Schema::parse(&serde_json::from_str(&json).unwrap());
    let mut choices = Choices::Seed(case.values);
    let mut datums = Vec::new();
    for _ in 0..case.rows {
        let mut datum = Vec::new();
        let row = value(&schema, &schema.root, &mut choices, 0);
        encode(&schema, &schema.root, &row, &mut choices, &mut datum);
        datums.push(datum);
    }
    let datums: Vec<_> = (0..repeat).flat_map(|_| datums.iter().cloned()).collect();
    let file = values::container(&json, CODECS[case.codec], &datums, &mut choices);
    let (schema, values) = container::read(&file).unwrap();
    let rows = values.iter().map(|value| expected::row(&schema, value).unwrap()).collect();
    (file, json, Table { columns: expected::columns(&schema), rows })
}

fn check(case: &Case, repeat: usize) -> Result<(), TestCaseError> {
    let (file, json, whole) = write(case, repeat);
    let fail = |error: polars_avro::Error| TestCaseError::fail(format!("{error:?}\n{json}"));
    let opened = open(file).map_err(fail)?;
    prop_assert_eq!(opened.count_rows(None).map_err(fail)?, whole.rows.len() as u64);
    let fields: Vec<_> = opened.fields().iter().map(|f| (f.name.to_string(), columns::dtype(f))).collect();
    prop_assert_eq!(&fields, &whole.columns, "{}", json);
    let mut choices = Choices::tape(&case.reading);
    for _ in 0..2 {
        let (options, expected) = reading(&mut choices, &whole);
        let way = format!(
            "columns {:?}, index {:?}, offset {}, length {:?}, batches of {} rows or {} bytes, {:?} threads",
            options.columns,
            options.row_index,
            options.offset,
            options.length,
            options.batch_rows,
            options.batch_bytes,
            options.n_threads
        );
        let table =
            read(&opened, &options).map_err(|error| TestCaseError::fail(format!("{error:?}\n{way}\n{json}")))?;
        same(&table, &expected).map_err(|what| TestCaseError::fail(format!("{what}\n{way}\n{json}")))?;
        let (mut options, sieve) = (options, sieve(&mut choices, &expected));
        options.filter = Some(sieve.clone());
        let way = format!("{sieve:?}, {way}");
        let table =
            read(&opened, &options).map_err(|error| TestCaseError::fail(format!("{error:?}\n{way}\n{json}")))?;
        // More rows than those that pass may come out.
        same(&sieve.filter(table), &sieve.filter(expected))
            .map_err(|what| TestCaseError::fail(format!("{what}\n{way}\n{json}")))?;
    }
    Ok(())
}

/// A filter by some of these columns.
fn sieve(choices: &mut Choices, table: &Table) -> Arc<Sieve> {
    let columns = table.columns.iter().filter(|_| choices.one_in(3)).map(|(name, _)| name.clone()).collect();
    Arc::new(Sieve { columns, share: choices.pick(&[1, 0, 7, 16]) })
}

/// Says the first difference, not two whole tables.
fn same(table: &Table, expected: &Table) -> Result<(), String> {
    if table.columns != expected.columns {
        return Err(format!("columns {:?}, expected {:?}", table.columns, expected.columns));
    }
    for (at, (row, wanted)) in table.rows.iter().zip(&expected.rows).enumerate() {
        assert_eq!(row.len(), wanted.len());
        if let Some(column) = (0..row.len()).find(|&column| row[column] != wanted[column]) {
            let (name, row, wanted) = (&table.columns[column].0, &row[column], &wanted[column]);
            return Err(format!("row {at}, column {name}:\n{row:?}, expected\n{wanted:?}"));
        }
    }
    let (rows, wanted) = (table.rows.len(), expected.rows.len());
    if rows == wanted { Ok(()) } else { Err(format!("{rows} rows, expected {wanted}")) }
}

pub(crate) fn cases(default: u32, shrink: u32) -> TestRunner {
    let cases = std::env::var("POLARS_AVRO_CASES").ok().map_or(default, |cases| cases.parse().unwrap());
    TestRunner::new(Config { cases, failure_persistence: None, max_shrink_iters: shrink, ..Config::default() })
}

#[test]
fn random_files_are_read_as_the_naive_decoder_reads_them() {
    cases(300, 1000).run(&case(), |case| check(&case, 1)).unwrap();
}

/// Over a megabyte, so that the work is cut into tasks.
#[test]
fn random_large_files_are_read_as_the_naive_decoder_reads_them() {
    let runner = cases(12, 30).run(&case(), |case| {
        let size = write(&case, 1).0.len();
        check(&case, 1 + (1_500_000 / size).min(20_000 / case.rows.max(1)))
    });
    runner.unwrap();
}
