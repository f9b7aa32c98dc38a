//! A lazy scan, for queries of the crate `polars`.

use std::any::Any;
use std::sync::Arc;

use polars::io::RowIndex;
use polars::lazy::frame::ScanArgsAnonymous;
use polars::prelude::{
    AnonymousScan, AnonymousScanArgs, DataFrame, IDX_DTYPE, LazyFrame, PolarsResult, SchemaRef, polars_bail,
};

use super::reader::AvroReader;
use crate::{FileInput, OpenOptions};

/// Options for scanning Avro files.
///
/// ```
/// use polars_avro::ScanArgsAvro;
///
/// let first = ScanArgsAvro { n_rows: Some(10), ..Default::default() };
/// assert!(!first.ignore_errors);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ScanArgsAvro {
    /// The maximum number of rows to read; `None` is all.
    pub n_rows: Option<usize>,
    /// A column with the number of each row, as the first.
    pub row_index: Option<RowIndex>,
    /// The schema to read as, the differences allowed in files, and the limits.
    pub open: OpenOptions,
    /// Drops damaged blocks instead of failing.
    pub ignore_errors: bool,
    /// The number of threads to decode on; `None` is all.
    pub n_threads: Option<usize>,
    /// Makes every column contiguous in memory.
    pub rechunk: bool,
}

/// Scans one file: a path, its bytes, or a [`Source`](crate::Source). The header is read now, and rows are read when a
/// query needs them.
///
/// Columns, predicates and the first rows (`limit`, `slice` from 0) are pushed into the scan. It runs on Polars'
/// in-memory engine.
///
/// ```
/// # fn main() -> polars::prelude::PolarsResult<()> {
/// use polars::prelude::*;
/// use polars_avro::scan_avro;
///
/// let warm = scan_avro("docs/sample.avro", Default::default())?
///     .filter(col("celsius").gt(lit(25.0)))
///     .select([col("station")])
///     .collect()?;
/// assert_eq!(warm.shape(), (30, 1));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the file cannot be opened or is not an Avro file.
pub fn scan_avro(input: impl Into<FileInput>, args: ScanArgsAvro) -> PolarsResult<LazyFrame> {
    scan_avro_files([input], args)
}

/// Scans several files as one, in this order: as the reader's schema, or as the schema of the first.
///
/// ```
/// # fn main() -> polars::prelude::PolarsResult<()> {
/// let twice = polars_avro::scan_avro_files(["docs/sample.avro"; 2], Default::default())?;
/// assert_eq!(twice.collect()?.height(), 600);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If there is no file, or the first cannot be opened or is not an Avro file.
pub fn scan_avro_files(
    inputs: impl IntoIterator<Item = impl Into<FileInput>>,
    args: ScanArgsAvro,
) -> PolarsResult<LazyFrame> {
    let ScanArgsAvro { n_rows, row_index, open, ignore_errors, n_threads, rechunk } = args;
    let reader = AvroReader::from_files(inputs).with_open_options(open).with_ignore_errors(ignore_errors);
    let reader = reader.with_n_threads(n_threads).set_rechunk(rechunk);
    let mut schema = reader.schema()?;
    if let Some(index) = &row_index {
        if schema.contains(&index.name) {
            polars_bail!(Duplicate: "the row index has the name of a column, {:?}", index.name);
        }
        Arc::make_mut(&mut schema).insert_at_index(0, index.name.clone(), IDX_DTYPE)?;
    }
    let scan = Arc::new(Scan { reader, row_index, schema: schema.clone() });
    let args = ScanArgsAnonymous { schema: Some(schema), n_rows, name: "AVRO SCAN", ..Default::default() };
    LazyFrame::anonymous_scan(scan, args)
}

/// The state that a query needs to read the files.
struct Scan {
    reader: AvroReader,
    row_index: Option<RowIndex>,
    schema: SchemaRef,
}

impl AnonymousScan for Scan {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn scan(&self, query: AnonymousScanArgs) -> PolarsResult<DataFrame> {
        let columns = query.with_columns.as_deref();
        let is_index = |name: &str| self.row_index.as_ref().is_some_and(|index| index.name == name);
        let wants_index = columns.is_none_or(|columns| columns.iter().any(|name| is_index(name)));
        let of_files = columns.map(|columns| {
            let of_files = columns.iter().filter(|name| !is_index(name));
            of_files.map(ToString::to_string).collect()
        });
        let reader = self.reader.clone().with_columns(of_files).with_n_rows(query.n_rows);
        let reader = reader.with_row_index(self.row_index.clone().filter(|_| wants_index));
        let frame = reader.with_predicate(query.predicate).finish()?;
        // The row index is the first column.
        match columns {
            Some(columns) if wants_index => frame.select(columns.iter().cloned()),
            _ => Ok(frame),
        }
    }

    fn schema(&self, _: Option<usize>) -> PolarsResult<SchemaRef> {
        Ok(self.schema.clone())
    }

    fn allows_predicate_pushdown(&self) -> bool {
        true
    }

    fn allows_projection_pushdown(&self) -> bool {
        true
    }
}
