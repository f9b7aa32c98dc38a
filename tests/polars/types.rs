//! Dtypes that come back as they were written.

use polars::prelude::*;
use polars_avro::{AvroReader, Batch, ContainerFile, OpenOptions, ReadOptions};

use crate::{file, frame};

fn check(column: Series) {
    let rows = DataFrame::new(column.len(), vec![column.into()]).unwrap();
    let read = AvroReader::new(file(&rows)).finish().unwrap();
    assert_eq!(read.schema(), rows.schema());
    assert!(read.equals_missing(&rows), "{read:?} instead of {rows:?}");
}

fn cast(dtype: &DataType) {
    let numbers = Series::new("v".into(), [Some(0_i64), None, Some(86_399), Some(100)]);
    check(numbers.cast(dtype).unwrap());
}

#[test]
fn dtypes_come_back() {
    for dtype in [
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::Int128,
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
        DataType::Float32,
        DataType::Float64,
        DataType::Boolean,
        DataType::String,
        DataType::Date,
        DataType::Time,
        DataType::Datetime(TimeUnit::Milliseconds, None),
        DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
        DataType::Datetime(TimeUnit::Nanoseconds, None),
        DataType::Duration(TimeUnit::Microseconds),
        DataType::Decimal(20, 3),
        DataType::Null,
    ] {
        cast(&dtype);
    }
}

#[test]
fn nested_dtypes_come_back() {
    let words = Series::new("v".into(), [Some("CLEAR"), None, Some("RAIN")]);
    let categories = FrozenCategories::new(["CLEAR", "RAIN", "SNOW"]).unwrap();
    let sky = words.cast(&DataType::from_frozen_categories(categories)).unwrap();
    check(sky.clone());
    check(words.cast(&DataType::from_categories(Categories::global())).unwrap());
    check(words.cast(&DataType::Binary).unwrap());
    check(sky.implode().unwrap().into_series());
    check(
        StructChunked::from_series("v".into(), 3, [&words, &sky.with_name("sky".into())].into_iter())
            .unwrap()
            .into_series(),
    );
}

#[test]
fn a_batch_becomes_a_frame_without_the_readers() {
    let rows = frame(10);
    let file = ContainerFile::open(file(&rows), &OpenOptions::default()).unwrap();
    let batch = || file.read(&ReadOptions::default()).unwrap().next().unwrap().unwrap();
    assert!(DataFrame::try_from(batch()).unwrap().equals_missing(&rows));
    let Batch { fields, arrays, height, .. } = batch();
    let columns = fields.iter().zip(arrays).map(|column| Ok(Series::try_from(column)?.into()));
    let by_hand = DataFrame::new(height, columns.collect::<PolarsResult<_>>().unwrap()).unwrap();
    assert!(by_hand.equals_missing(&rows));
}
