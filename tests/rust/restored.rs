//! Dtypes that the property `polars.dtype` restores: those of the schema, of the arrays, and of empty reads.

use polars_avro::{ContainerFile, OpenOptions, ReadOptions};

use crate::container::{Container, put_bytes, put_long};

fn number(value: i64) -> Vec<u8> {
    let mut out = Vec::new();
    put_long(&mut out, value);
    out
}

fn text(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(&mut out, value);
    out
}

/// A type, one value of it, and the Arrow dtype.
fn kinds() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    vec![
        (r#"{"type": "int", "polars.dtype": "Int8"}"#, number(-5), "Int8"),
        (r#"{"type": "int", "polars.dtype": "UInt16"}"#, number(5), "UInt16"),
        (r#"{"type": "float", "polars.dtype": "Float16"}"#, vec![0; 4], "Float16"),
        (r#"{"type": "long", "polars.dtype": "Time"}"#, number(5), "Time64(Nanosecond)"),
        (
            r#"{"type": "long", "polars.dtype": "Duration", "polars.time_unit": "us"}"#,
            number(5),
            "Duration(Microsecond)",
        ),
        (
            r#"{"type": "long", "logicalType": "timestamp-millis", "polars.dtype": "Datetime",
                "polars.time_zone": "Asia/Tokyo"}"#,
            number(5),
            r#"Timestamp(Millisecond, Some("Asia/Tokyo"))"#,
        ),
        (r#"{"type": "string", "polars.dtype": "Categorical"}"#, text(b"one"), "Dictionary(UInt32, Utf8View, false)"),
        (
            r#"{"type": "enum", "name": "E", "symbols": ["A"], "polars.dtype": "Enum", "polars.categories": ["a b"]}"#,
            number(0),
            "Dictionary(UInt8, Utf8View, true)",
        ),
        (
            r#"{"type": "array", "items": "boolean", "polars.dtype": "Array", "polars.width": 2}"#,
            [number(2), vec![1, 0], number(0)].concat(),
            "FixedSizeList(",
        ),
    ]
}

#[test]
fn schemas_and_arrays_have_the_same_dtypes() {
    for (ty, value, expected) in kinds() {
        for (ty, value) in [
            (ty.to_owned(), value.clone()),
            (format!(r#"["null", {ty}]"#), [number(1), value.clone()].concat()),
            (format!(r#"{{"type": "array", "items": {ty}}}"#), [number(1), value, number(0)].concat()),
        ] {
            let schema = format!(r#"{{"type": "record", "name": "R", "fields": [{{"name": "a", "type": {ty}}}]}}"#);
            for rows in [0, 1] {
                let file = Container::new(&schema, "null").block(rows, value.repeat(rows as usize)).build();
                let file = ContainerFile::open(file, &OpenOptions::default()).unwrap();
                let fields = file.fields();
                let read: Vec<_> = file.read(&ReadOptions::default()).unwrap().map(Result::unwrap).collect();
                assert_eq!(read.iter().map(|batch| batch.height).sum::<usize>(), rows as usize);
                for batch in &read {
                    assert_eq!(batch.arrays[0].dtype(), fields[0].dtype(), "{ty}");
                }
                let dtype = format!("{:?}", fields[0].dtype());
                assert!(dtype.contains(expected), "{ty}: {dtype}");
            }
        }
    }
}
