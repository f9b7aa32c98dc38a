//! Arrow arrays by a foreign producer, as an input decides, with the values that they stand for.

mod c_data;
mod producer;
mod values;

use std::ptr::NonNull;

use polars_avro::arrow_import::{ImportedRows, take};

use crate::choices::Choices;
use producer::Producer;

/// Imports an array that keeps the guarantees of the C data interface, and breaks its other rules at times.
pub fn import(bytes: &[u8]) {
    let mut producer = Producer::new(Choices::tape(bytes));
    let (mut root, rows) = producer.rows();
    let (schema, array) = (NonNull::from(&mut root.schema).cast(), NonNull::from(&mut root.array).cast());
    // SAFETY: the producer owns what the structs point to, and outlives what is imported.
    let (schema, array) = unsafe { (take(schema), take(array)) };
    match ImportedRows::of_array(&schema, array).and_then(|mut rows| rows.next().transpose()) {
        Ok(imported) => {
            let imported = imported.expect("the array");
            // A producer that breaks rules may claim fewer rows.
            assert!(imported.len() <= rows && (imported.len() == rows || !producer.is_sound));
            if producer.is_known {
                assert_eq!(values::values(&imported), root.values[..imported.len()]);
            }
        }
        Err(error) => assert!(!producer.is_sound, "{error}"),
    }
}
