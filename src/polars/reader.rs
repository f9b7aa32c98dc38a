//! Reading into frames.

use std::sync::Arc;

use polars::io::RowIndex;
use polars::prelude::{DataFrame, Expr, IDX_DTYPE, IdxSize, PolarsResult, SchemaRef, polars_err};
use polars_arrow::datatypes::Field;

use super::batches::AvroBatches;
use super::frame::schema_of;
use super::predicate::Predicate;
use super::pump::Pump;
use crate::{FileInput, FileSet, OpenOptions, ReadOptions, Result, Schema};

/// Reads Avro files into a [`DataFrame`], in the style of the readers of polars-io.
///
/// ```
/// # fn main() -> polars::prelude::PolarsResult<()> {
/// use polars::prelude::*;
/// use polars_avro::AvroReader;
///
/// let frame = AvroReader::new("docs/sample.avro")
///     .with_columns(Some(vec!["station".into(), "celsius".into()]))
///     .with_predicate(Some(col("celsius").gt(lit(25.0))))
///     .finish()?;
/// assert_eq!(frame.shape(), (30, 2));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AvroReader {
    inputs: Vec<FileInput>,
    open: OpenOptions,
    read: ReadOptions,
    projection: Option<Vec<usize>>,
    predicate: Option<Expr>,
    rechunk: bool,
}

impl AvroReader {
    /// Reads one file: a path, its bytes, or a [`Source`](crate::Source).
    pub fn new(input: impl Into<FileInput>) -> Self {
        Self::from_files([input])
    }

    /// Reads several files as one, in this order.
    pub fn from_files(inputs: impl IntoIterator<Item = impl Into<FileInput>>) -> Self {
        let read = ReadOptions::default().with_wide_row_index(IdxSize::BITS == u64::BITS);
        let inputs = inputs.into_iter().map(Into::into).collect();
        Self { inputs, open: OpenOptions::default(), read, projection: None, predicate: None, rechunk: false }
    }

    /// Selects columns, in this order. A path such as `a.b` selects one field of a nested record.
    pub fn with_columns(mut self, columns: Option<Vec<String>>) -> Self {
        self.read.columns = columns;
        self
    }

    /// Selects columns by their positions in the file, counted from 0. It takes precedence over
    /// [`AvroReader::with_columns`].
    pub fn with_projection(mut self, projection: Option<Vec<usize>>) -> Self {
        self.projection = projection;
        self
    }

    /// Stops after `n_rows` rows. They are counted before the predicate.
    pub fn with_n_rows(mut self, n_rows: Option<usize>) -> Self {
        self.read.length = n_rows.map(|rows| rows as u64);
        self
    }

    /// Adds a column with the number of each row in the files, as the first.
    pub fn with_row_index(mut self, row_index: Option<RowIndex>) -> Self {
        self.read.row_index = row_index.map(|index| (index.name.to_string(), u64::from(index.offset)));
        self
    }

    /// Keeps the rows for which an expression is true. It may use columns that are not selected.
    ///
    /// If the expression evaluates every row on its own, its columns are decoded first, and the others only for rows
    /// that pass.
    pub fn with_predicate(mut self, predicate: Option<Expr>) -> Self {
        self.predicate = predicate;
        self
    }

    /// Drops damaged blocks instead of failing; [`AvroBatches::take_bad_blocks`] lists them.
    pub fn with_ignore_errors(mut self, ignore_errors: bool) -> Self {
        self.read.ignore_errors = ignore_errors;
        self
    }

    /// Rejects blocks that have bytes after their rows, see [`ReadOptions::strict`]. Otherwise
    /// [`AvroBatches::take_bad_blocks`] lists them, and a read as one frame warns about them.
    pub fn with_strict(mut self, strict: bool) -> Self {
        self.read.strict = strict;
        self
    }

    /// Reads as this schema instead of the one that the file was written with.
    pub fn with_reader_schema(mut self, schema: Option<Arc<Schema>>) -> Self {
        self.open.reader_schema = schema;
        self
    }

    /// Sets the schema, the evolution and the limits at once.
    pub fn with_open_options(mut self, options: OpenOptions) -> Self {
        self.open = options;
        self
    }

    /// Sets the approximate number of rows of a batch.
    pub fn with_batch_size(mut self, rows: usize) -> Self {
        self.read.batch_rows = rows;
        self
    }

    /// Sets the number of threads to decode on; `None` is all.
    pub fn with_n_threads(mut self, threads: Option<usize>) -> Self {
        self.read.n_threads = threads;
        self
    }

    /// Makes every column contiguous in memory.
    pub fn set_rechunk(mut self, rechunk: bool) -> Self {
        self.rechunk = rechunk;
        self
    }

    /// Returns the columns of the files, without a row index and before any selection.
    ///
    /// # Errors
    /// If the first file cannot be opened or is not an Avro file.
    pub fn schema(&self) -> PolarsResult<SchemaRef> {
        schema_of(&self.files()?.fields()?)
    }

    /// Reads all rows.
    ///
    /// # Errors
    /// If a file cannot be read, or the predicate fails.
    pub fn finish(self) -> PolarsResult<DataFrame> {
        let rechunk = self.rechunk;
        let mut frame = self.start()?.collect_frame()?;
        if rechunk {
            frame.rechunk_mut_par();
        }
        Ok(frame)
    }

    /// Reads frame by frame, in the order of the file.
    ///
    /// # Errors
    /// If the first file cannot be opened, or the predicate needs more than one row at a time.
    pub fn batched(self) -> PolarsResult<AvroBatches> {
        self.start()?.check_row_wise()
    }

    fn files(&self) -> Result<FileSet> {
        FileSet::new(self.inputs.iter().cloned(), &self.open)
    }

    fn start(mut self) -> PolarsResult<AvroBatches> {
        let files = self.files()?;
        let fields = files.fields()?;
        if let Some(projection) = &self.projection {
            self.read.columns = Some(projected(projection, &fields)?);
        }
        let Some(expr) = self.predicate.take() else {
            return Ok(AvroBatches::direct(files.read(&self.read)?, None, None));
        };
        let predicate = Predicate::new(expr, &self.all_columns(&fields)?)?;
        let keep = self.add_columns(&predicate, &fields);
        if self.is_worth_asking(&predicate, &fields) {
            let read = |filter| {
                self.read.filter = Some(filter);
                files.read(&self.read)
            };
            return Ok(AvroBatches::filtered(Pump::start(predicate, read)?, keep));
        }
        Ok(AvroBatches::direct(files.read(&self.read)?, Some(predicate), keep))
    }

    /// Returns the columns that a predicate may use.
    fn all_columns(&self, fields: &[Field]) -> PolarsResult<SchemaRef> {
        let mut schema = (*schema_of(fields)?).clone();
        if let Some(index) = self.index_name() {
            schema.insert_at_index(0, index.into(), IDX_DTYPE)?;
        }
        Ok(schema.into())
    }

    /// Adds the columns of a predicate to those that are read. Returns the columns to keep, if any were added.
    fn add_columns(&mut self, predicate: &Predicate, fields: &[Field]) -> Option<Vec<String>> {
        let index = self.index_name().map(str::to_owned);
        let columns = self.read.columns.as_mut()?;
        let selected: Vec<String> = columns.iter().map(|path| top_level(path, fields).to_owned()).collect();
        let is_read = |column: &&String| selected.contains(column) || index.as_ref() == Some(column);
        let added: Vec<_> = predicate.columns.iter().filter(|column| !is_read(column)).cloned().collect();
        columns.extend(added.iter().cloned());
        (!added.is_empty()).then(|| index.into_iter().chain(selected).collect())
    }

    /// Returns true if the predicate's columns may be decoded first: each is read with all of its fields, and at least
    /// one comes from the files.
    fn is_worth_asking(&self, predicate: &Predicate, fields: &[Field]) -> bool {
        let columns = self.read.columns.as_ref();
        let is_field = |column: &String| fields.iter().any(|field| field.name == column.as_str());
        let is_whole = |column: &String| columns.is_none_or(|columns| columns.contains(column));
        let mut of_files = predicate.columns.iter().filter(|column| self.index_name() != Some(column)).peekable();
        let has_any = of_files.peek().is_some();
        !self.read.ignore_errors && predicate.is_row_wise && has_any && of_files.all(|c| is_field(c) && is_whole(c))
    }

    fn index_name(&self) -> Option<&str> {
        self.read.row_index.as_ref().map(|(name, _)| name.as_str())
    }
}

/// Returns the names of the columns at these positions.
fn projected(projection: &[usize], fields: &[Field]) -> PolarsResult<Vec<String>> {
    let name = |&at: &usize| {
        let field = fields.get(at).map(|field| field.name.to_string());
        field.ok_or_else(|| polars_err!(OutOfBounds: "projection index {at} of {} columns", fields.len()))
    };
    projection.iter().map(name).collect()
}

/// Returns the column that a path selects a part of: the longest prefix that is the name of a column.
fn top_level<'p>(path: &'p str, fields: &[Field]) -> &'p str {
    let is_field = |name: &str| fields.iter().any(|field| field.name == name);
    let beginnings = std::iter::successors(Some(path), |name| name.rsplit_once('.').map(|(beginning, _)| beginning));
    beginnings.into_iter().find(|name| is_field(name)).unwrap_or(path)
}
