//! Files of ours, read by the crate of the Apache project.

use apache_avro::Reader;
use apache_avro::types::Value;
use polars_avro::Codec;
use proptest::prelude::*;

use crate::written::{ROWS, column, frame, put_bytes, put_long, put_row, written};

/// Writes a value as the specification has it.
fn put(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => {}
        Value::Boolean(value) => out.push((*value).into()),
        Value::Int(value) => put_long((*value).into(), out),
        Value::Long(value) => put_long(*value, out),
        Value::Float(value) => out.extend(value.to_le_bytes()),
        Value::Double(value) => out.extend(value.to_le_bytes()),
        Value::String(value) => put_bytes(value.as_bytes(), out),
        Value::Bytes(value) => put_bytes(value, out),
        Value::Union(branch, value) => {
            put_long((*branch).into(), out);
            put(value, out);
        }
        Value::Array(items) => {
            if !items.is_empty() {
                put_long(items.len() as i64, out);
                for item in items {
                    put(item, out);
                }
            }
            out.push(0);
        }
        Value::Record(fields) => fields.iter().for_each(|(_, value)| put(value, out)),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn values_are_those_of_the_rows(arrays in prop::collection::vec(column(ROWS, 2), 1..5), block_size in 1..2000_usize) {
        let rows = frame(arrays, ROWS, None);
        let file = written(std::slice::from_ref(&rows), Codec::Deflate, block_size, 2);
        let values: Vec<Value> = Reader::builder(&file[..]).build().unwrap().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(values.len(), rows.len());
        for (row, value) in values.iter().enumerate() {
            let (mut expected, mut got) = (Vec::new(), Vec::new());
            put_row(&rows, row, &mut expected);
            put(value, &mut got);
            prop_assert_eq!(got, expected, "row {}", row);
        }
    }
}
