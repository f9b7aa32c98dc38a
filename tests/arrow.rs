//! Record batches of arrow-rs have the values and the types of the file.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch, RecordBatchReader};
use polars_avro::{ContainerFile, ErrorKind, OpenOptions, ReadOptions};

const SYNC: [u8; 16] = *b"0123456789abcdef";

fn long(value: i64) -> Vec<u8> {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    let mut out = Vec::new();
    while rest > 127 {
        out.push(rest as u8 | 128);
        rest >>= 7;
    }
    out.push(rest as u8);
    out
}

fn text(value: &[u8]) -> Vec<u8> {
    [long(value.len() as i64), value.to_vec()].concat()
}

/// Returns a file of one block.
fn file(schema: &str, rows: i64, data: &[u8]) -> Vec<u8> {
    let mut out = b"Obj\x01".to_vec();
    out.extend([long(1), text(b"avro.schema"), text(schema.as_bytes()), long(0), SYNC.to_vec()].concat());
    out.extend([long(rows), text(data), SYNC.to_vec()].concat());
    out
}

fn record_batches(bytes: Vec<u8>) -> Vec<RecordBatch> {
    let file = ContainerFile::open(bytes, &OpenOptions::default()).unwrap();
    let batches = file.read(&ReadOptions::default()).unwrap().into_record_batches().unwrap();
    let schema = batches.schema();
    let batches: Vec<_> = batches.map(Result::unwrap).collect();
    assert!(batches.iter().all(|batch| batch.schema() == schema));
    batches
}

#[test]
fn values_are_the_same() {
    let schema = r#"{"type": "record", "name": "R", "fields": [
        {"name": "n", "type": ["null", "long"]}, {"name": "s", "type": "string"},
        {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["a", "b"]}},
        {"name": "l", "type": {"type": "array", "items": "double"}},
        {"name": "m", "type": {"type": "map", "values": "int"}},
        {"name": "r", "type": {"type": "record", "name": "Q", "fields": [{"name": "x", "type": "bytes"}]}},
        {"name": "d", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "t", "type": {"type": "long", "logicalType": "timestamp-micros"}}
    ]}"#;
    let mut data = Vec::new();
    for i in 0..1000_i64 {
        data.extend(if i % 3 == 0 { long(0) } else { [long(1), long(i)].concat() });
        data.extend(text(format!("a text of more than twelve bytes, number {i}").as_bytes()));
        data.extend(long(i % 2));
        data.extend([long(2), 1.5_f64.to_le_bytes().to_vec(), (i as f64).to_le_bytes().to_vec(), long(0)].concat());
        data.extend([long(1), text(b"key"), long(i), long(0)].concat());
        data.extend(text(&[i as u8]));
        data.extend(text(&[1, 2]));
        data.extend(long(i * 1_000_000));
    }
    let batches = record_batches(file(schema, 1000, &data));
    let mut row = 0_i64;
    for batch in &batches {
        assert_eq!(batch.num_columns(), 8);
        let numbers = batch.column(0).as_primitive::<Int64Type>();
        let texts = batch.column(1).as_string_view();
        let lists = batch.column(3).as_list::<i64>();
        for i in 0..batch.num_rows() {
            assert_eq!(numbers.is_null(i), row % 3 == 0);
            assert!(numbers.is_null(i) || numbers.value(i) == row);
            assert_eq!(texts.value(i), format!("a text of more than twelve bytes, number {row}"));
            assert_eq!(lists.value(i).as_primitive::<Float64Type>().value(1).to_bits(), (row as f64).to_bits());
            row += 1;
        }
    }
    assert_eq!(row, 1000);
    let names: Vec<_> = batches[0].schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["n", "s", "e", "l", "m", "r", "d", "t"]);
}

#[test]
fn an_error_of_the_read_is_one_of_the_iterator() {
    let schema = r#"{"type": "record", "name": "R", "fields": [{"name": "s", "type": "string"}]}"#;
    let bytes = file(schema, 2, &[text(b"sound"), text(&[0xff])].concat());
    let file = ContainerFile::open(bytes, &OpenOptions::default()).unwrap();
    let mut batches = file.read(&ReadOptions::default()).unwrap().into_record_batches().unwrap();
    let error = batches.find_map(Result::err).unwrap();
    assert!(error.to_string().contains("not valid UTF-8"), "{error}");
    assert!(batches.next().is_none());
}

#[test]
fn types_that_arrow_rs_lacks_are_refused() {
    let wide = r#"{"type": "record", "name": "R", "fields": [{"name": "n", "type":
        {"type": "fixed", "name": "I", "size": 17, "logicalType": "decimal", "precision": 39, "polars.dtype": "Int128"}}]}"#;
    let file = ContainerFile::open(file(wide, 0, &[]), &OpenOptions::default()).unwrap();
    let refused = file.read(&ReadOptions::default()).unwrap().into_record_batches().err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
}

#[test]
fn a_reader_that_is_dropped_early_stops() {
    let bytes = std::fs::read("docs/sample.avro").unwrap();
    let file = ContainerFile::open(bytes, &OpenOptions::default()).unwrap();
    let mut batches = file.read(&ReadOptions::default()).unwrap().into_record_batches().unwrap();
    assert!(batches.next().unwrap().unwrap().num_rows() > 0);
}
