//! `AvroReader`, held against what Polars makes of the frame in memory.

use polars::io::RowIndex;
use polars::prelude::*;
use polars_avro::{AvroReader, Limits, OpenOptions};

use crate::{expected, file, frame};

const ROWS: i64 = 300_000;

fn index(name: &str, offset: IdxSize) -> RowIndex {
    RowIndex { name: name.into(), offset }
}

#[test]
fn all_options_at_once() {
    let rows = frame(ROWS);
    let read = AvroReader::new(file(&rows))
        .with_columns(Some(vec!["name".into(), "id".into()]))
        .with_n_rows(Some(1000))
        .with_row_index(Some(index("row", 5)))
        .with_predicate(Some(col("id").gt(lit(10)).and(col("row").lt(lit(900)))))
        .finish()
        .unwrap();
    let wanted = expected(&rows, |frame| {
        let numbered = frame.select([col("name"), col("id")]).with_row_index("row", Some(5)).limit(1000);
        numbered.filter(col("id").gt(lit(10)).and(col("row").lt(lit(900))))
    });
    assert_eq!(read, wanted);
    assert_eq!(read.height(), 884);
}

#[test]
fn a_predicate_may_use_columns_that_are_not_selected() {
    let rows = frame(ROWS);
    let predicates = [
        // Few rows pass, most do, none does, all do.
        col("id").eq(lit(77)),
        col("group").neq(lit(3)),
        col("id").lt(lit(-1)),
        lit(true),
        col("name").is_null().and(col("group").eq(lit(0))),
        // Null is not true.
        col("name").eq(lit("name of row 1")),
    ];
    for predicate in predicates {
        let read = AvroReader::new(file(&rows)).with_columns(Some(vec!["name".into()]));
        let read = read.with_predicate(Some(predicate.clone())).finish().unwrap();
        let wanted = expected(&rows, |frame| frame.filter(predicate.clone()).select([col("name")]));
        assert!(read.equals_missing(&wanted), "{predicate:?}: {read:?} {wanted:?}");
    }
}

#[test]
fn a_predicate_over_all_rows_sees_all_rows() {
    let rows = frame(1000);
    for predicate in [col("id").eq(col("id").max()), col("id").gt(col("id").mean()), col("group").min().eq(lit(0))] {
        let read = || AvroReader::new(file(&rows)).with_batch_size(10).with_predicate(Some(predicate.clone()));
        let wanted = expected(&rows, |frame| frame.filter(predicate.clone()));
        assert!(read().finish().unwrap().equals_missing(&wanted), "{predicate:?}");
        let error = read().batched().unwrap_err();
        assert!(matches!(error, PolarsError::InvalidOperation(_)), "{error:?}");
    }
}

#[test]
fn batches_are_the_rows_in_order() {
    let rows = frame(ROWS);
    for predicate in [None, Some(col("group").eq(lit(2)))] {
        let batches = AvroReader::new(file(&rows)).with_batch_size(10_000).with_predicate(predicate.clone());
        let batches: Vec<_> = batches.batched().unwrap().collect::<PolarsResult<_>>().unwrap();
        assert!(batches.len() > 10);
        let mut all = batches[0].clone();
        for batch in &batches[1..] {
            all.vstack_mut(batch).unwrap();
        }
        let wanted = expected(&rows, |frame| frame.filter(predicate.clone().unwrap_or(lit(true))));
        assert!(all.equals_missing(&wanted));
    }
}

#[test]
fn batches_that_are_not_wanted_end_the_read() {
    let bytes = file(&frame(ROWS));
    for _ in 0..20 {
        let reader = AvroReader::new(bytes.clone()).with_batch_size(1000);
        let mut batches = reader.with_predicate(Some(col("id").gt_eq(lit(0)))).batched().unwrap();
        assert!(batches.next().unwrap().unwrap().height() > 0);
    }
}

#[test]
fn a_selection_by_position_and_a_schema() {
    let rows = frame(10);
    let read = AvroReader::new(file(&rows)).with_projection(Some(vec![2, 0]));
    assert_eq!(*read.schema().unwrap(), **rows.schema());
    assert_eq!(read.finish().unwrap(), rows.select(["group", "id"]).unwrap());
    let error = AvroReader::new(file(&rows)).with_projection(Some(vec![3])).finish().unwrap_err();
    assert!(matches!(error, PolarsError::OutOfBounds(_)), "{error:?}");
}

#[test]
fn no_column_has_a_height() {
    let rows = frame(10);
    let read = AvroReader::new(file(&rows)).with_columns(Some(Vec::new())).finish().unwrap();
    assert_eq!(read.shape(), (10, 0));
    let few = AvroReader::new(file(&rows)).with_columns(Some(Vec::new())).with_predicate(Some(col("id").lt(lit(4))));
    assert_eq!(few.finish().unwrap().height(), 4);
}

#[test]
fn several_files_are_one() {
    let (one, two) = (frame(10), frame(5));
    let read = AvroReader::from_files([file(&one), file(&two)]).with_predicate(Some(col("id").lt(lit(2))));
    let ids = read.finish().unwrap();
    assert_eq!(ids.column("id").unwrap().i64().unwrap().into_no_null_iter().collect::<Vec<_>>(), [0, 1, 0, 1]);
    assert!(AvroReader::from_files(Vec::<Vec<u8>>::new()).finish().is_err());
}

#[test]
fn damaged_blocks_are_dropped_and_told() {
    let rows = frame(ROWS);
    let mut bytes = file(&rows);
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0xff);
    let error = AvroReader::new(bytes.clone()).finish().unwrap_err();
    assert!(matches!(error, PolarsError::ComputeError(_)), "{error:?}");
    let few = Some(col("group").eq(lit(1)));
    let reader = AvroReader::new(bytes).with_ignore_errors(true).with_predicate(few.clone());
    let whole = reader.clone().finish().unwrap();
    let mut batches = reader.batched().unwrap();
    let height: usize = batches.by_ref().map(|batch| batch.unwrap().height()).sum();
    let bad = batches.take_bad_blocks();
    assert!(!bad.is_empty());
    assert_eq!(height, whole.height());
    assert!(height < expected(&rows, |frame| frame.filter(few.clone().unwrap())).height());
}

#[test]
fn errors_are_those_of_polars() {
    let bytes = file(&frame(3));
    let missing = AvroReader::new("no/such.avro").finish().unwrap_err();
    assert!(matches!(missing, PolarsError::IO { .. }) && missing.to_string().contains("no/such.avro"), "{missing}");
    let unknown = AvroReader::new(bytes.clone()).with_predicate(Some(col("x").eq(lit(1)))).finish().unwrap_err();
    assert!(unknown.to_string().contains('x'), "{unknown}");
    let numeric = AvroReader::new(bytes.clone()).with_predicate(Some(col("id") + lit(1))).finish();
    assert!(numeric.is_err());
    let taken = AvroReader::new(bytes.clone()).with_row_index(Some(index("id", 0))).finish().unwrap_err();
    assert!(matches!(taken, PolarsError::InvalidOperation(_)), "{taken:?}");
    let small = OpenOptions::default().with_limits(Limits::default().with_header_bytes(10));
    assert!(AvroReader::new(bytes).with_open_options(small).finish().unwrap_err().to_string().contains("header_bytes"));
}

#[test]
fn columns_are_contiguous_if_asked() {
    let bytes = file(&frame(ROWS));
    let chunks = |rechunk| {
        let frame = AvroReader::new(bytes.clone()).with_batch_size(1000).set_rechunk(rechunk).finish().unwrap();
        frame.columns()[0].n_chunks()
    };
    assert!(chunks(false) > 1);
    assert_eq!(chunks(true), 1);
}
