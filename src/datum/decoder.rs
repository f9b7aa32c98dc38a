//! The decoder: from a Binary column to a column of the reader's type.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use polars_arrow::array::{Array, BinaryViewArray};
use polars_arrow::datatypes::Field;
use rayon::prelude::*;

use super::cells::{Cells, Scratch};
use super::route::Route;
use super::router::Router;
use super::row_ids::RowId;
use super::task::{Done, Tasks};
use super::writers::WriterSchemas;
use super::{DatumOptions, Framing, RowIds, SchemaId};
use crate::decode::Column;
use crate::{Error, Result, Schema, executor};

/// The number of rows of one decoding task.
const TASK_ROWS: usize = 1 << 17;

/// The number of missing ids at which the search ends and returns them.
const MISSING: usize = 256;

/// Decodes any number of Binary columns in the same way.
///
/// ```
/// use std::collections::HashSet;
///
/// use polars_avro::arrow::BinaryViewArray;
/// use polars_avro::{DatumDecoder, DatumOptions, Decoded, Schema};
///
/// let schema: Schema = r#""long""#.parse()?;
/// let decoder = DatumDecoder::new(DatumOptions::default().with_schema(schema))?;
/// let column = BinaryViewArray::from_slice([Some([2_u8]), None]);
/// let Decoded::Rows { arrays, .. } = decoder.decode(&[column], &HashSet::new())? else { panic!() };
/// assert_eq!((arrays[0].len(), arrays[0].null_count()), (2, 1));
/// # Ok::<(), polars_avro::Error>(())
/// ```
pub struct DatumDecoder {
    options: DatumOptions,
    reader: Arc<Schema>,
    known: RwLock<Arc<WriterSchemas>>,
}

/// The result of decoding a column.
///
/// ```
/// use std::collections::HashSet;
///
/// use polars_avro::arrow::BinaryViewArray;
/// use polars_avro::{DatumDecoder, DatumOptions, Decoded, Framing, Schema, SchemaId};
///
/// let schema: Schema = r#""long""#.parse()?;
/// let options = DatumOptions::default().with_reader_schema(schema).with_framing(Framing::Confluent);
/// let column = BinaryViewArray::from_slice([Some([0_u8, 0, 0, 0, 7, 2])]);
/// // Nothing says yet what schema 7 is.
/// let decoded = DatumDecoder::new(options)?.decode(&[column], &HashSet::new())?;
/// assert!(matches!(decoded, Decoded::Missing(ids) if ids == [SchemaId::Number(7)]));
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Debug)]
pub enum Decoded {
    /// All rows are decoded or null.
    Rows {
        /// The column, in one or more arrays for each task.
        arrays: Vec<Box<dyn Array>>,
        /// The number of bad rows that became null.
        bad: usize,
        /// The error of the first bad row.
        first_bad: Option<Error>,
    },
    /// These ids are needed first, see [`DatumDecoder::add_schema`].
    Missing(Vec<SchemaId>),
}

impl DatumDecoder {
    /// Compiles the state that all columns share.
    ///
    /// # Errors
    /// If no schema is given, if the writer's schema cannot be read as the reader's, or if a field is not in the
    /// reader's schema.
    pub fn new(options: DatumOptions) -> Result<Self> {
        let Some(reader) = options.reader_schema.clone().or_else(|| options.schema.clone()) else {
            return Err(Error::argument("a schema to read as is needed: its type is the type of the column"));
        };
        let known = RwLock::new(Arc::new(WriterSchemas::new(&reader, &options)?));
        Ok(Self { options, reader, known })
    }

    /// Returns the field of the resulting column, which does not depend on the schemas of the rows.
    #[must_use]
    pub fn field(&self, name: &str) -> Field {
        self.known().writers[0].column.field(name)
    }

    /// Registers the writer's schema of rows with this id, or with this fingerprint as a number.
    ///
    /// # Errors
    /// If the schema cannot be read as the reader's.
    pub fn add_schema(&self, id: impl Into<SchemaId>, schema: &Arc<Schema>) -> Result<()> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut known).add_id(id.into(), schema, &self.reader, &self.options)
    }

    /// Returns the options for decoding.
    #[must_use]
    pub fn options(&self) -> &DatumOptions {
        &self.options
    }

    fn known(&self) -> Arc<WriterSchemas> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Decodes a column, given in chunks. Rows whose id is in `unknown` are bad.
    ///
    /// # Errors
    /// The error of the first bad row, unless bad rows become null.
    pub fn decode(&self, chunks: &[BinaryViewArray], unknown: &HashSet<SchemaId>) -> Result<Decoded> {
        self.decode_rows(&Cells::new(chunks), unknown, &RowIds::default())
    }

    /// Decodes a column as [`Self::decode`], with the schema ids of the rows in another column.
    ///
    /// ```
    /// use std::collections::HashSet;
    /// use std::sync::Arc;
    ///
    /// use polars_avro::arrow::BinaryViewArray;
    /// use polars_avro::{DatumDecoder, DatumOptions, Decoded, RowIds, Schema};
    ///
    /// let schema: Arc<Schema> = Arc::new(r#""long""#.parse()?);
    /// let decoder = DatumDecoder::new(DatumOptions::default().with_reader_schema(schema.clone()))?;
    /// decoder.add_schema(7, &schema)?;
    /// let column = BinaryViewArray::from_slice([Some([2_u8]), Some([4])]);
    /// let ids: RowIds = [Some(7.into()), Some(7.into())].into_iter().collect();
    /// let Decoded::Rows { arrays, .. } = decoder.decode_with_ids(&[column], &ids, &HashSet::new())? else { panic!() };
    /// assert_eq!(arrays[0].len(), 2);
    /// # Ok::<(), polars_avro::Error>(())
    /// ```
    ///
    /// # Errors
    /// The error of the first bad row, unless bad rows become null; an error if the number of ids is not that of rows.
    pub fn decode_with_ids(
        &self,
        chunks: &[BinaryViewArray],
        ids: &RowIds,
        unknown: &HashSet<SchemaId>,
    ) -> Result<Decoded> {
        let cells = Cells::new(chunks);
        if ids.len() != cells.len() {
            return Err(Error::argument(format!("`schema_id` has {} rows, the column has {}", ids.len(), cells.len())));
        }
        self.decode_rows(&cells, unknown, ids)
    }

    fn decode_rows(&self, cells: &Cells<'_>, unknown: &HashSet<SchemaId>, ids: &RowIds) -> Result<Decoded> {
        let known = self.known();
        let router = Router { framing: self.options.framing, known: &known, unknown, ids };
        let tasks = Tasks { router, cells, ignore_errors: self.options.ignore_errors };
        let n = cells.len().div_ceil(TASK_ROWS);
        let bounds = |task: usize| cells.len() * task / n..cells.len() * (task + 1) / n;
        let run = |task| tasks.run(bounds(task));
        let done: Vec<_> = if n > 1 && executor::threads() > 1 {
            executor::pool()?.install(|| (0..n).into_par_iter().with_max_len(1).map(run).collect())
        } else {
            (0..n).map(run).collect()
        };
        let (mut all, mut count, mut first) = (Vec::with_capacity(n), 0, None);
        for task in done {
            match task? {
                Done::Rows { arrays, bad, first_bad } => {
                    all.extend(arrays);
                    count += bad;
                    first = first.or(first_bad);
                }
                Done::Missing => return Ok(Decoded::Missing(missing(router, cells))),
            }
        }
        Ok(Decoded::Rows { arrays: all, bad: count, first_bad: first })
    }
}

/// Returns the ids of rows that have not been looked up yet, in the order of the rows.
fn missing(router: Router<'_>, cells: &Cells<'_>) -> Vec<SchemaId> {
    let (mut seen, mut ids, mut scratch) = (HashSet::new(), Vec::new(), Scratch::default());
    let mut last: Option<Route> = None;
    let (mut id, mut id_end) = (RowId::Missing, 0);
    for segment in cells.segments(0..cells.len()) {
        for row in segment.rows.clone() {
            let Some(cell) = segment.get(row, &mut scratch) else { continue };
            if row >= id_end {
                ((id, id_end), last) = (router.ids.run_at(row), None);
            }
            // Most rows have the same header as the previous row.
            if last.as_ref().is_some_and(|last| last.fits(cell)) {
                continue;
            }
            let headers = router.headers(id, cell.row());
            if let [Some(header), None, None, None, None] = headers
                && (router.framing != Framing::Auto || id != RowId::Missing)
            {
                last = Some(Route::new(header, 0, cell));
            }
            ids.extend(router.missing(headers).filter(|id| seen.insert(*id)));
            if ids.len() >= MISSING {
                return ids;
            }
        }
    }
    ids
}

impl fmt::Debug for DatumDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatumDecoder").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Clone for DatumDecoder {
    fn clone(&self) -> Self {
        Self { options: self.options.clone(), reader: self.reader.clone(), known: RwLock::new(self.known()) }
    }
}
