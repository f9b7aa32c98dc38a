//! Arguments that do not fit each other are errors, and neither panics nor wrong files.

use std::time::Instant;

use polars_arrow::array::{PrimitiveArray, StructArray, Utf8ViewArray};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_avro::{
    Batch, ContainerFile, DatumEncoder, ErrorKind, Framing, MemorySink, OpenOptions, ReadOptions, Schema, Sink,
    WriteOptions, Writer, avro_schema_of,
};

const LONGS: &str = r#"{"type": "record", "name": "R", "fields": [{"name": "a", "type": "long"}]}"#;

fn field() -> Field {
    Field::new("a".into(), ArrowDataType::Int64, true)
}

fn longs(nulls: Option<Bitmap>) -> StructArray {
    let values = PrimitiveArray::from_slice([1_i64, 2]).boxed();
    StructArray::new(ArrowDataType::Struct(vec![field()]), 2, vec![values], nulls)
}

fn create(options: &WriteOptions, first: &[StructArray]) -> polars_avro::Result<Writer> {
    Writer::create(|| Ok(Box::new(MemorySink::new()) as Box<dyn Sink>), &[field()], first, options)
}

#[track_caller]
fn refused<T>(result: polars_avro::Result<T>, kind: ErrorKind, message: &str) {
    let error = result.err().unwrap();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(message), "{error}");
}

#[test]
fn rows_that_are_null_are_not_written_as_values() {
    let mut writer = create(&WriteOptions::default(), &[]).unwrap();
    refused(writer.write(&longs(Some([true, false].into_iter().collect()))), ErrorKind::Argument, "rows that are null");
    let mut writer = create(&WriteOptions::default(), &[]).unwrap();
    writer.write(&longs(Some([true, true].into_iter().collect()))).unwrap();
}

#[test]
fn the_text_of_a_schema_is_compared_with_it() {
    let schema = || WriteOptions::default().with_schema(LONGS.parse::<Schema>().unwrap());
    let with_notes = LONGS.replace(r#""name": "R""#, r#""name": "R", "doc": "words""#);
    assert!(create(&schema().with_schema_json(with_notes), &[]).is_ok());
    for json in [r#""int""#, &LONGS.replace("long", "int")] {
        refused(create(&schema().with_schema_json(json), &[]), ErrorKind::Argument, "another schema than `schema`");
    }
    refused(create(&schema().with_schema_json("junk"), &[]), ErrorKind::Schema, "not valid JSON");
    refused(create(&WriteOptions::default().with_schema_json(LONGS), &[]), ErrorKind::Argument, "which is not set");
}

#[test]
fn first_rows_have_the_columns_of_the_fields() {
    for rows in [0, 2] {
        let none = StructArray::new(ArrowDataType::Struct(Vec::new()), rows, Vec::new(), None);
        let message = "other columns than the fields";
        refused(create(&WriteOptions::default(), std::slice::from_ref(&none)), ErrorKind::Argument, message);
        let options = WriteOptions::default();
        refused(avro_schema_of(&[field()], &[none], &options), ErrorKind::Argument, message);
    }
}

#[test]
fn encoded_arrays_are_of_the_dtype_of_their_field() {
    let schema = std::sync::Arc::new("\"long\"".parse::<Schema>().unwrap());
    let encoder = DatumEncoder::new(schema, Framing::Datum, None).unwrap();
    let texts = Utf8ViewArray::from_slice_values(["a"]).boxed();
    refused(encoder.encode(&field(), &[texts]), ErrorKind::Argument, "not of the dtype of its field");
}

#[test]
fn slices_end_with_the_batch() {
    for (start, height, expected) in [(1, 2, 1), (2, 1, 0), (9, 1, 0), (0, 9, 2), (0, 1, 1)] {
        let values = PrimitiveArray::from_slice([1_i64, 2]).boxed();
        for columns in [vec![values], Vec::new()] {
            let fields = columns.iter().map(|_| field()).collect();
            let mut batch = Batch::new(fields, columns, 2);
            batch.slice(start, height);
            assert_eq!(batch.height, expected);
            assert!(batch.arrays.iter().all(|array| array.len() == expected));
        }
    }
}

#[test]
fn the_indices_have_two_names() {
    let file = ContainerFile::open("docs/sample.avro", &OpenOptions::default()).unwrap();
    let options = ReadOptions::default().with_row_index("i", 0).with_file_index("i");
    refused(file.read(&options), ErrorKind::Argument, "both indices have the name \"i\"");
}

#[test]
fn a_wide_schema_takes_no_quadratic_time() {
    let fields = (0..60_000).map(|at| format!(r#"{{"name":"c{at}","type":"null"}}"#)).collect::<Vec<_>>().join(",");
    let schema = format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#);
    let file = crate::container::Container::new(&schema, "null").build();
    let start = Instant::now();
    assert_eq!(ContainerFile::open(file, &OpenOptions::default()).unwrap().fields().len(), 60_000);
    assert!(start.elapsed().as_secs() < 5);
}
