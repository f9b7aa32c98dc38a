//! Several files read as one, held against their rows one after the other.

use std::sync::Arc;

use polars_arrow::array::{Array, PrimitiveArray};
use polars_avro::{
    BatchReader, ErrorKind, FileInput, FileOpener, FileSet, Limits, MemorySource, OpenOptions, ReadOptions, Result,
    Schema,
};

use crate::container::{Container, put_long};

/// Rows of each file: small ones, one that is taken in several tasks, none at all.
const ROWS: [usize; 9] = [0, 3, 1, 0, 500, 2, 400_000, 0, 1];

/// Two schemas in turns: the same columns, in another order and of another width.
const SCHEMAS: [&str; 2] = [
    r#"{"type": "record", "name": "R", "fields": [{"name": "n", "type": "long"}, {"name": "m", "type": "long"}]}"#,
    r#"{"type": "record", "name": "R", "fields": [{"name": "m", "type": "int"}, {"name": "n", "type": "long"}]}"#,
];

/// A file of the rows `(n, -n)` from `first` on.
fn file(schema: usize, first: usize, rows: usize) -> Vec<u8> {
    let mut file = Container::new(SCHEMAS[schema], "null");
    for start in (first..first + rows).step_by(10_000) {
        let stop = (start + 10_000).min(first + rows);
        let mut data = Vec::new();
        for n in start..stop {
            let (n, m) = (n as i64, -(n as i64));
            for value in if schema == 0 { [n, m] } else { [m, n] } {
                put_long(&mut data, value);
            }
        }
        file = file.block((stop - start) as i64, data);
    }
    file.build()
}

fn set() -> FileSet {
    set_damaged(&[])
}

/// The files, of which some have a damaged last block.
fn set_damaged(damaged: &[usize]) -> FileSet {
    polars_avro::set_thread_pool_size(4);
    let mut first = 0;
    let inputs = ROWS.iter().enumerate().map(|(number, &rows)| {
        let mut bytes = file(number % 2, first, rows);
        if damaged.contains(&number) {
            // The last value goes on into the marker.
            let last = bytes.len() - 17;
            bytes[last] |= 0x80;
        }
        first += rows;
        FileInput::Source(Arc::new(MemorySource::new(bytes).with_name(format!("{number}.avro"))))
    });
    FileSet::new(inputs, &OpenOptions::default()).unwrap()
}

/// Every row as numbers, whatever the columns are.
fn read(set: &FileSet, options: &ReadOptions) -> Result<Vec<Vec<i64>>> {
    rows(set.read(options)?)
}

fn rows(reader: BatchReader) -> Result<Vec<Vec<i64>>> {
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch?;
        let long = |array: &dyn Array| -> Vec<i64> {
            let any = array.as_any();
            match any.downcast_ref::<PrimitiveArray<u32>>() {
                Some(array) => array.values_iter().map(|&value| i64::from(value)).collect(),
                None => any.downcast_ref::<PrimitiveArray<i64>>().unwrap().values_iter().copied().collect(),
            }
        };
        let columns: Vec<_> = batch.arrays.iter().map(|array| long(array.as_ref())).collect();
        rows.extend((0..batch.height).map(|row| columns.iter().map(|column| column[row]).collect::<Vec<_>>()));
    }
    Ok(rows)
}

/// Number in the read, both columns, number of the file.
fn expected() -> Vec<Vec<i64>> {
    let files = ROWS.iter().enumerate().flat_map(|(number, &rows)| std::iter::repeat_n(number as i64, rows));
    files.enumerate().map(|(row, file)| vec![row as i64, row as i64, -(row as i64), file]).collect()
}

#[test]
fn every_slice_is_the_slice_of_all_rows() {
    let (set, all) = (set(), expected());
    let total = all.len() as u64;
    for n_threads in [1, 4] {
        for (offset, length) in [
            (0, None),
            (0, Some(0)),
            (0, Some(4)),
            (2, Some(3)),
            (3, None),
            (503, Some(10)),
            (250_000, Some(7)),
            (total - 1, None),
            (total - 5, Some(4)),
            (total, Some(4)),
            (u64::MAX, Some(u64::MAX)),
        ] {
            let mut options = ReadOptions::default();
            (options.n_threads, options.offset, options.length) = (Some(n_threads), offset, length);
            let wanted: Vec<_> =
                all.iter().skip(offset as usize).take(length.unwrap_or(u64::MAX) as usize).cloned().collect();
            let plain: Vec<_> = wanted.iter().map(|row| row[1..3].to_vec()).collect();
            assert_eq!(read(&set, &options).unwrap(), plain, "{offset}, {length:?}, {n_threads}");
            options.row_index = Some(("row".into(), 0));
            options.file_index = Some("file".into());
            assert_eq!(read(&set, &options).unwrap(), wanted, "{offset}, {length:?}, {n_threads}");
        }
    }
}

#[test]
fn selected_files_keep_their_numbers() {
    let some = set().select(&[4, 1, 2]).unwrap();
    let mut options = ReadOptions::default();
    options.file_index = Some("file".into());
    let numbers: Vec<_> = read(&some, &options).unwrap().iter().map(|row| row[2]).collect();
    assert_eq!(numbers, [vec![4; 500], vec![1; 3], vec![2; 1]].concat());
    assert_eq!(some.count_rows_by_file(None).unwrap(), [(4, 500), (1, 3), (2, 1)]);
    assert!(read(&set().select(&[]).unwrap(), &options).unwrap().is_empty());
    assert_eq!(set().select(&[9]).err().unwrap().kind(), ErrorKind::Argument);
}

#[test]
fn rows_are_counted_from_both_ends() {
    let set = set();
    assert_eq!(set.count_rows(None).unwrap(), expected().len() as u64);
    assert!(set.count_rows(Some(4)).unwrap() >= 4);
    assert_eq!(set.count_rows_from_end(0).unwrap(), (0, 0));
    assert_eq!(set.count_rows_from_end(1).unwrap(), (1, 1));
    assert_eq!(set.count_rows_from_end(2).unwrap(), (3, 400_001));
    assert_eq!(set.count_rows_from_end(u64::MAX).unwrap(), (9, expected().len() as u64));
    let schemas = SCHEMAS.map(|json| Schema::parse(json, &Limits::default()).unwrap());
    let union = Schema::union(&schemas, &Limits::default()).unwrap();
    assert_eq!(set.union_schema().unwrap().to_json(), union.to_json());
}

#[test]
fn plans_are_made_once_a_schema() {
    let set = set();
    let mut reader = set.read(&ReadOptions::default()).unwrap();
    assert_eq!(reader.by_ref().map(|batch| batch.unwrap().height).sum::<usize>(), expected().len());
    assert_eq!((reader.stats().files_opened, reader.stats().plans_compiled), (9, 2));
}

#[test]
fn the_first_error_in_the_files_order_is_the_error() {
    let input = |bytes: Vec<u8>, name: &str| FileInput::Source(Arc::new(MemorySource::new(bytes).with_name(name)));
    let mut damaged = file(0, 0, 20);
    *damaged.last_mut().unwrap() ^= 1;
    let inputs = || vec![input(file(0, 0, 5), "0"), input(damaged.clone(), "1"), input(b"no Avro".to_vec(), "2")];
    let set = FileSet::new(inputs(), &OpenOptions::default()).unwrap();
    for n_threads in [1, 4] {
        let mut options = ReadOptions::default();
        options.n_threads = Some(n_threads);
        let error = read(&set, &options).unwrap_err();
        assert_eq!((error.position().file.as_deref(), error.position().block), (Some("1"), Some(0)));
    }
    assert_eq!(set.count_rows(None).unwrap_err().position().file.as_deref(), Some("1"));
    assert_eq!(
        FileSet::new(Vec::<FileInput>::new(), &OpenOptions::default()).err().unwrap().kind(),
        ErrorKind::Argument
    );
}

/// Damaged blocks of a small and of a large file are left out, and rows are counted as they come out.
#[test]
fn damage_is_left_out_of_every_file() {
    let set = set_damaged(&[4, 6]);
    let sound = expected().into_iter().filter(|row| row[3] != 4 && !(390_506..400_506).contains(&row[1]));
    let sound: Vec<_> = sound.enumerate().map(|(n, row)| vec![n as i64, row[1], row[2], row[3]]).collect();
    let mut options = ReadOptions::default();
    options.row_index = Some(("row".to_owned(), 0));
    options.file_index = Some("file".to_owned());
    assert!(read(&set, &options).is_err());
    options.ignore_errors = true;
    for threads in [1, 4] {
        options.n_threads = Some(threads);
        for (offset, length) in [(0, None), (3, Some(5)), (200_000, Some(189_000)), (300_000, None), (500_000, None)] {
            (options.offset, options.length) = (offset, length);
            let stop = length.map_or(u64::MAX, |length| offset + length).min(sound.len() as u64) as usize;
            let wanted = sound.get(offset as usize..stop).unwrap_or_default();
            assert!(read(&set, &options).unwrap() == wanted, "{threads} threads, rows {offset} and {length:?}");
        }
    }
    options.columns = Some(Vec::new());
    (options.offset, options.length) = (0, None);
    let mut reader = set.read(&options).unwrap();
    let rows: usize = reader.by_ref().map(|batch| batch.unwrap().height).sum();
    assert_eq!(rows, sound.len());
    let bad = reader.take_bad_blocks();
    let files: Vec<_> = bad.iter().map(|bad| (bad.error.position().file.clone().unwrap(), bad.rows_lost)).collect();
    assert_eq!(files, [("4.avro".to_owned(), Some(500)), ("6.avro".to_owned(), Some(10_000))]);
    assert_eq!(set.count_readable_rows(None).unwrap(), sound.len() as u64);
    assert_eq!(set.count_readable_rows(Some(2)).unwrap(), 2);
    options.byte_range = Some(0..10);
    assert_eq!(set.read(&options).err().unwrap().kind(), ErrorKind::Argument);
}

#[test]
fn an_opener_tells_schemas_apart() {
    let source = |bytes: &[u8]| Arc::new(MemorySource::new(bytes.to_vec()));
    let named = |i: usize| {
        let schema = format!(r#"{{"type": "record", "name": "R", "fields": [{{"name": "c{i}", "type": "int"}}]}}"#);
        Container::new(&schema, "null").build()
    };
    let opener = FileOpener::default();
    // More of them than are kept, each twice in a row and again when the others have come.
    for i in (0..40).flat_map(|i| [i, i]).chain(0..40) {
        assert_eq!(opener.open(source(&named(i))).unwrap().fields()[0].name, format!("c{i}").as_str());
    }
    assert_eq!(opener.fields().unwrap_err().kind(), ErrorKind::Argument);
    let mut options = OpenOptions::default();
    options.reader_schema = Some(Arc::new(Schema::parse(SCHEMAS[0], &options.limits).unwrap()));
    let opener = FileOpener::new(options.clone());
    for schema in [0, 1, 0, 1] {
        let one = opener.open(source(&file(schema, 5, 10))).unwrap();
        assert_eq!(one.fields(), &*opener.fields().unwrap());
        let set = FileSet::new(vec![FileInput::Source(source(&file(schema, 5, 10)))], &options).unwrap();
        let found = rows(one.read(&ReadOptions::default()).unwrap()).unwrap();
        assert_eq!(found, read(&set, &ReadOptions::default()).unwrap());
    }
    for _ in 0..2 {
        let error = opener.open(Arc::new(MemorySource::new(named(1)).with_name("other"))).err().unwrap();
        assert_eq!((error.kind(), error.position().file.as_deref()), (ErrorKind::Schema, Some("other")));
    }
}
