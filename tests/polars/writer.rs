//! `AvroWriter`.

use std::io::{self, Write};

use polars::prelude::*;
use polars_avro::{AvroReader, AvroWriter, Codec, ContainerFile, OpenOptions, Schema, WriteOptions};

use crate::frame;

#[test]
fn options_are_in_the_file() {
    let mut bytes = Vec::new();
    let options = WriteOptions::default().with_metadata([("made.by", "a test")]);
    let writer = AvroWriter::new(&mut bytes).with_options(options).with_name("shop.Order".to_owned());
    writer.with_compression(Codec::Zstandard).with_compression_level(Some(3)).finish(&mut frame(100)).unwrap();
    let file = ContainerFile::open(bytes.as_slice(), &OpenOptions::default()).unwrap();
    assert_eq!(file.header().codec, Codec::Zstandard);
    assert_eq!(file.header().metadata_value("made.by"), Some(b"a test".as_slice()));
    assert_eq!(file.schema().node(file.schema().root()).kind.name().unwrap().fullname(), "shop.Order");
    assert!(AvroReader::new(bytes).finish().unwrap().equals_missing(&frame(100)));
}

#[test]
fn a_schema_of_the_caller_is_kept() {
    let schema: Schema =
        r#"{"type": "record", "name": "R", "fields": [{"name": "id", "type": "long"}]}"#.parse().unwrap();
    let mut bytes = Vec::new();
    let mut ids = frame(3).select(["id"]).unwrap();
    AvroWriter::new(&mut bytes).with_schema(Some(schema.clone().into())).finish(&mut ids).unwrap();
    let file = ContainerFile::open(bytes, &OpenOptions::default()).unwrap();
    assert_eq!(file.schema().canonical_form(), schema.canonical_form());
    // A null has no place in it.
    let mut null = df!("id" => [Some(1_i64), None]).unwrap();
    assert!(AvroWriter::new(Vec::new()).with_schema(Some(schema.into())).finish(&mut null).is_err());
}

#[test]
fn batches_are_one_file() {
    let rows = frame(1000);
    let mut bytes = Vec::new();
    let mut writer = AvroWriter::new(&mut bytes).batched(rows.schema());
    for start in (0..1000).step_by(100) {
        writer.write_batch(&rows.slice(start, 100)).unwrap();
    }
    let other = writer.write_batch(&rows.select(["id"]).unwrap()).unwrap_err();
    assert!(matches!(other, PolarsError::ShapeMismatch(_)), "{other:?}");
    let renamed = df!("a" => [1_i64], "b" => ["x"], "c" => [1_i32]).unwrap();
    let mut strict = AvroWriter::new(Vec::new()).batched(rows.schema());
    assert!(matches!(strict.write_batch(&renamed).unwrap_err(), PolarsError::SchemaMismatch(_)));
    assert_eq!(writer.finish().unwrap().rows, 1000);
    assert!(AvroReader::new(bytes).finish().unwrap().equals_missing(&rows));
}

#[test]
fn no_rows_are_a_file() {
    let none = frame(0);
    let mut written = Vec::new();
    AvroWriter::new(&mut written).finish(&mut none.clone()).unwrap();
    let mut batched = Vec::new();
    AvroWriter::new(&mut batched).batched(none.schema()).finish().unwrap();
    for bytes in [written, batched] {
        let read = AvroReader::new(bytes).finish().unwrap();
        assert_eq!((read.height(), read.schema()), (0, none.schema()));
    }
}

#[test]
fn chunks_of_columns_may_differ() {
    let mut rows = frame(10);
    rows.vstack_mut(&frame(10)).unwrap();
    let whole = rows.column("id").unwrap().rechunk();
    rows.with_column(whole).unwrap();
    let mut bytes = Vec::new();
    AvroWriter::new(&mut bytes).finish(&mut rows).unwrap();
    assert!(AvroReader::new(bytes).finish().unwrap().equals_missing(&rows));
}

#[test]
fn an_error_of_the_target_is_handed_on() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let error = AvroWriter::new(Full).finish(&mut frame(10)).unwrap_err();
    assert!(matches!(error, PolarsError::IO { error, .. } if error.kind() == io::ErrorKind::StorageFull));
}
