//! The readers, the writer and the scan of the feature `polars`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod reader;
mod scan;
mod types;
mod writer;

use polars::prelude::*;
use polars_avro::{AvroWriter, WriteOptions};

/// Rows `id` 0.., `name` (every third null), `group` in turns, in many small blocks.
pub(crate) fn frame(rows: i64) -> DataFrame {
    let name = |id: i64| (id % 3 != 0).then(|| format!("name of row {id}"));
    df!(
        "id" => (0..rows).collect::<Vec<_>>(),
        "name" => (0..rows).map(name).collect::<Vec<_>>(),
        "group" => (0..rows).map(|id| (id % 5) as i32).collect::<Vec<_>>(),
    )
    .unwrap()
}

/// The frame as a file.
pub(crate) fn file(frame: &DataFrame) -> Vec<u8> {
    let mut bytes = Vec::new();
    let options = WriteOptions::default().with_block_size(1 << 12);
    AvroWriter::new(&mut bytes).with_options(options).finish(&mut frame.clone()).unwrap();
    bytes
}

/// What Polars makes of the query over the same frame in memory.
pub(crate) fn expected(frame: &DataFrame, query: impl Fn(LazyFrame) -> LazyFrame) -> DataFrame {
    query(frame.clone().lazy()).collect().unwrap()
}
