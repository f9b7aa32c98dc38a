//! `scan_avro`, held against the same query over the frame in memory.

use polars::io::RowIndex;
use polars::prelude::*;
use polars_avro::{ScanArgsAvro, scan_avro, scan_avro_files};

use crate::{expected, file, frame};

fn check(name: &str, query: impl Fn(LazyFrame) -> LazyFrame) {
    let rows = frame(100_000);
    let scan = scan_avro(file(&rows), ScanArgsAvro::default()).unwrap();
    let read = query(scan).collect().unwrap();
    let wanted = expected(&rows, query);
    assert!(read.equals_missing(&wanted), "{name}: {read:?} instead of {wanted:?}");
}

#[test]
fn queries_are_answered_as_in_memory() {
    check("all", |lf| lf);
    check("select", |lf| lf.select([col("group"), col("id")]));
    check("filter", |lf| lf.filter(col("id").gt(lit(99_990))));
    check("filter and select", |lf| lf.filter(col("group").eq(lit(1))).select([col("name")]));
    check("limit", |lf| lf.limit(7));
    check("slice", |lf| lf.slice(50_000, 9));
    check("tail", |lf| lf.tail(3));
    check("limit, then filter", |lf| lf.limit(20).filter(col("group").eq(lit(1))));
    check("filter, then limit", |lf| lf.filter(col("group").eq(lit(1))).limit(20));
    check("limit twice", |lf| lf.limit(20).limit(5));
    check("literal", |lf| lf.filter(lit(false)));
    check("sum", |lf| lf.select([col("id").sum()]));
    check("len", |lf| lf.select([len()]));
    check("group", |lf| {
        lf.group_by([col("group")]).agg([col("id").sum(), len()]).sort(["group"], SortMultipleOptions::default())
    });
    check("row index", |lf| lf.with_row_index("row", Some(3)).filter(col("row").gt(lit(99_000))));
    check("aggregate in a filter", |lf| lf.filter(col("id").eq(col("id").max())));
    check("self-join", |lf| {
        lf.clone().filter(col("id").lt(lit(100))).join(
            lf.filter(col("id").gt(lit(50))),
            [col("id")],
            [col("id")],
            JoinArgs::new(JoinType::Inner),
        )
    });
}

#[test]
fn a_filter_that_is_one_aggregate_keeps_its_meaning() {
    let rows = df!("flag" => [true, true, false], "id" => [1, 2, 3]).unwrap();
    for aggregate in [col("flag").min(), col("flag").max(), col("flag").first(), col("flag").last()] {
        let query = |lf: LazyFrame| lf.filter(aggregate.clone());
        let read = query(scan_avro(file(&rows), ScanArgsAvro::default()).unwrap()).collect().unwrap();
        assert_eq!(read, expected(&rows, query), "{aggregate:?}");
    }
}

#[test]
fn arguments_are_those_of_the_scan() {
    let rows = frame(1000);
    let row_index = Some(RowIndex { name: "row".into(), offset: 10 });
    let args = ScanArgsAvro { n_rows: Some(500), row_index, rechunk: true, n_threads: Some(1), ..Default::default() };
    let scan = || scan_avro(file(&rows), args.clone()).unwrap();
    let numbered = |lf: LazyFrame| lf.with_row_index("row", Some(10)).limit(500);
    assert!(scan().collect().unwrap().equals_missing(&expected(&rows, numbered)));
    // The index alone, last, filtered by, and not at all.
    for columns in [vec![col("row")], vec![col("id"), col("row")], vec![col("id")]] {
        let query = |lf: LazyFrame| lf.filter(col("row").gt(lit(300))).select(columns.clone());
        let wanted = expected(&rows, |lf| query(numbered(lf)));
        assert!(query(scan()).collect().unwrap().equals_missing(&wanted), "{columns:?}");
    }
    let taken = ScanArgsAvro { row_index: Some(RowIndex { name: "id".into(), offset: 0 }), ..Default::default() };
    assert!(matches!(scan_avro(file(&rows), taken), Err(PolarsError::Duplicate(_))));
}

#[test]
fn what_a_query_needs_is_pushed_into_the_scan() {
    let rows = frame(1000);
    let scan = scan_avro(file(&rows), ScanArgsAvro::default()).unwrap();
    let plan = scan.clone().filter(col("group").eq(lit(1))).select([col("id")]).explain(true).unwrap();
    assert!(plan.contains("SCAN") && plan.contains("PROJECT 2/3") && plan.contains("SELECTION"), "{plan}");
    assert!(!plan.contains("FILTER"), "{plan}");
    let limited = scan.limit(5).explain(true).unwrap();
    assert!(limited.trim_start().contains("SCAN") && limited.contains("SLICE"), "{limited}");
}

#[test]
fn several_files_are_scanned_in_order() {
    let (one, two) = (frame(10), frame(5));
    let scan = scan_avro_files([file(&one), file(&two)], ScanArgsAvro::default()).unwrap();
    let ids = scan.filter(col("id").eq(lit(4))).collect().unwrap();
    assert_eq!(ids.height(), 2);
    assert!(scan_avro("no/such.avro", ScanArgsAvro::default()).is_err());
}

#[test]
fn scans_that_run_at_once_wait_for_no_other() {
    // Each side of a join runs on a thread of Polars and waits for its scan there.
    let rows = frame(200_000);
    let bytes = file(&rows);
    let side = |least: i64| {
        let scan = scan_avro(bytes.clone(), ScanArgsAvro::default()).unwrap();
        scan.filter(col("id").gt_eq(lit(least)).and(col("group").eq(lit(1)))).select([col("id")])
    };
    let mut joined = side(0);
    for least in 1..6 {
        joined = joined.join(side(least * 1000), [col("id")], [col("id")], JoinArgs::new(JoinType::Inner));
    }
    assert_eq!(joined.collect().unwrap().height(), (200_000 - 5000) / 5);
}
