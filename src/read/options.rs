//! What the caller may ask for.

use std::ops::Range;
use std::sync::Arc;

use super::filter::RowFilter;
use crate::{Limits, Schema};

/// How to open a file.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct OpenOptions {
    /// The schema to read as, instead of the one the file was written with.
    pub reader_schema: Option<Arc<Schema>>,
    /// What the file may ask for.
    pub limits: Limits,
}

/// What to read of a file, and in what portions.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The columns that come out, in this order; `None` is all of them in the schema's order. A path such as `a.b` makes a
    /// column `a` of that field alone, also inside of arrays, maps and unions with null; a column whose own name has the
    /// dot comes first.
    pub columns: Option<Vec<String>>,
    /// Puts the number of each row in the file before the other columns: the column's name, and the number of row 0.
    pub row_index: Option<(String, u64)>,
    /// Makes the row index `UInt64` instead of `UInt32`, as in Polars built for more than 2^32 rows.
    pub wide_row_index: bool,
    /// Only the blocks whose sync markers, which stand in front of them, begin in this range of the file's bytes. Ranges
    /// that tile a file give every row once. Rows and blocks are counted from the range's first.
    pub byte_range: Option<Range<u64>>,
    /// Rows to leave out at the beginning.
    pub offset: u64,
    /// Rows to read at most; `None` is all.
    pub length: Option<u64>,
    /// Leaves damaged blocks out and reads on behind them; [`BatchReader::take_bad_blocks`](crate::BatchReader::take_bad_blocks)
    /// says which. Rows are counted as they come out then, also for the row index, `offset` and `length`.
    pub ignore_errors: bool,
    /// Tells which of the rows are needed; others may come out too. It sees rows that `offset` and `length` leave.
    pub filter: Option<Arc<dyn RowFilter>>,
    /// Rows of a batch, about.
    pub batch_rows: usize,
    /// Bytes of a batch before decoding, about.
    pub batch_bytes: usize,
    /// Threads to decode on; `None` is all of the pool, 1 is the calling thread alone.
    pub n_threads: Option<usize>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            columns: None,
            row_index: None,
            wide_row_index: false,
            byte_range: None,
            offset: 0,
            length: None,
            ignore_errors: false,
            filter: None,
            batch_rows: 100_000,
            batch_bytes: 16 << 20,
            n_threads: None,
        }
    }
}
