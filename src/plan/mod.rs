//! The plan for decoding a file's records, compiled once.
//!
//! [`Plan::compile`] turns a resolution and a projection into a record of empty columns. Every task fills a clone of
//! it, so nothing is looked up per value.

mod compile;
mod leaf;
mod projection;
mod record;
mod skip;
mod union;
mod write;

use std::fmt;
use std::sync::Arc;

use polars_arrow::datatypes::Field;

use crate::binary::{Fault, PADDING, data_end};
use crate::decode::{AnyColumn, Record, Skip, SkipPrograms};
use crate::schema::{Evolution, Resolution, Schema};
use crate::{Limits, Result};

pub(crate) use projection::Projection;
pub(crate) use write::WritePlan;

/// The frozen plan of one file and one projection. Cheap to clone and to share.
#[derive(Clone)]
pub(crate) struct Plan {
    /// The columns of the result, in the selected order.
    pub(crate) fields: Arc<[Field]>,
    /// Empty columns to clone and fill.
    pub(crate) record: Arc<Record>,
    /// Skips a whole record.
    pub(crate) skip_record: Arc<[Skip]>,
    /// The minimum number of values that one row becomes in memory.
    pub(crate) row_values: usize,
    pub(crate) programs: Arc<SkipPrograms>,
    /// The columns of a filter, if there is one.
    pub(crate) filter: Option<Arc<FilterPlan>>,
    /// The plan for all columns, if the result has fewer and damage is detected by decoding every column.
    pub(crate) all_columns: Option<Arc<Plan>>,
}

/// The part of a plan that a filter needs.
pub(crate) struct FilterPlan {
    /// The columns of the filter.
    pub(crate) fields: Arc<[Field]>,
    pub(crate) record: Arc<Record>,
    /// The record of all columns of the plan, for records that are decoded one by one.
    pub(crate) wanted: Record,
}

/// The schemas of a file: the writer's, the reader's, and their resolution.
#[derive(Clone, Debug)]
pub(crate) struct Schemas {
    pub(crate) writer: Arc<Schema>,
    pub(crate) reader: Arc<Schema>,
    pub(crate) resolution: Arc<Resolution>,
    pub(crate) conversions: Conversions,
}

/// The action for a value that its logical type does not allow: a UUID that is no UUID, a time outside the day, or a decimal
/// with too many digits.
///
/// ```
/// use polars_avro::arrow::{Array, ArrowDataType, Field, StructArray, Utf8ViewArray};
/// use polars_avro::{ContainerFile, InvalidValues, MemorySink, OpenOptions, ReadOptions, Schema, WriteOptions, Writer};
///
/// let fields = [Field::new("id".into(), ArrowDataType::Utf8View, true)];
/// let id = Utf8ViewArray::from_slice([Some("no UUID")]).boxed();
/// let sink = MemorySink::new();
/// let mut writer = Writer::create(|| Ok(Box::new(sink.clone())), &fields, &[], &WriteOptions::default())?;
/// writer.write(&StructArray::new(ArrowDataType::Struct(fields.to_vec()), 1, vec![id], None))?;
/// writer.finish()?;
/// let bytes = sink.take().concat();
///
/// let schema: Schema = r#"{"type": "record", "name": "Row", "fields": [
///     {"name": "id", "type": ["null", {"type": "string", "logicalType": "uuid"}]}
/// ]}"#.parse()?;
/// let options = OpenOptions::default().with_reader_schema(schema);
/// let file = ContainerFile::open(bytes.clone(), &options)?;
/// assert!(file.read(&ReadOptions::default())?.next().unwrap().unwrap_err().is_invalid_value());
///
/// let file = ContainerFile::open(bytes, &options.with_invalid_values(InvalidValues::Null))?;
/// let batch = file.read(&ReadOptions::default())?.next().unwrap()?;
/// assert_eq!(batch.arrays[0].null_count(), 1);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum InvalidValues {
    /// It is an error.
    #[default]
    Refuse,
    /// It is null, and counted.
    Null,
    /// Columns of these logical types are text. The text of an invalid value is that of the type which the logical type
    /// annotates, and it is counted.
    Text,
}

/// Options that decide which columns types become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conversions {
    /// The number of times that a recursive type becomes a struct inside itself; JSON text if `None`.
    pub(crate) recursion_depth: Option<usize>,
    pub(crate) invalid_values: InvalidValues,
}

impl Conversions {
    /// Returns true if values may be replaced, and have to be counted.
    pub(crate) fn may_replace(self) -> bool {
        self != Self::default()
    }
}

impl Schemas {
    /// Resolves the writer's schema with the reader's, or with itself.
    pub(crate) fn new(
        writer: Arc<Schema>,
        reader: Option<Arc<Schema>>,
        evolution: Evolution,
        conversions: Conversions,
    ) -> Result<Self> {
        let reader = reader.unwrap_or_else(|| writer.clone());
        let resolution = Arc::new(crate::schema::resolve(&writer, &reader, evolution)?);
        Ok(Self { writer, reader, resolution, conversions })
    }
}

impl Plan {
    /// Compiles the plan for these columns of a file.
    pub(crate) fn compile(schemas: &Schemas, projection: &Projection, limits: &Limits) -> Result<Self> {
        compile::compile(schemas, projection, limits)
    }

    /// Returns the empty column that datums of these schemas are decoded into.
    pub(crate) fn compile_datum(schemas: &Schemas, projection: &Projection, limits: &Limits) -> Result<AnyColumn> {
        compile::compile_datum(schemas, projection, limits)
    }

    /// Adds a filter of these columns, unless the result has no other columns.
    pub(crate) fn with_filter(mut self, columns: &[String], schemas: &Schemas, limits: &Limits) -> Result<Self> {
        let Self { fields, record, .. } = Self::compile(schemas, &Projection::columns(Some(columns)), limits)?;
        let is_tested = |field: &Field| fields.iter().any(|other| other.name == field.name);
        if !self.fields.iter().all(is_tested) {
            let wanted = Record::clone(&self.record).without_rest();
            self.filter = Some(Arc::new(FilterPlan { fields, record, wanted }));
        }
        Ok(self)
    }

    /// Returns true if the result has exactly these columns, in this order.
    pub(crate) fn is_of(&self, columns: &[String]) -> bool {
        let names = self.fields.iter().map(|field| field.name.as_str());
        names.eq(columns.iter().map(String::as_str))
    }

    /// Skips up to `n` records from `pos`; returns the number of skipped records, the position after them, and the
    /// fault of the next one, if any.
    pub(crate) fn skip_records(&self, bytes: &[u8], pos: usize, n: u64) -> (u64, usize, Option<Fault>) {
        self.skip_within(bytes, pos, n, usize::MAX)
    }

    /// Skips up to `n` records that begin between `pos` and `stop`; returns the same.
    pub(crate) fn skip_within(&self, bytes: &[u8], mut pos: usize, n: u64, stop: usize) -> (u64, usize, Option<Fault>) {
        // Asserted once, so that per-value bounds checks are optimised away.
        assert!(bytes.len() >= PADDING, "a block without padding");
        let end = data_end(bytes);
        for record in 0..n {
            if pos >= stop {
                return (record, pos, None);
            }
            match self.programs.skip(&self.skip_record, bytes, pos) {
                Ok(next) if next <= end => pos = next,
                Ok(_) => return (record, pos, Some(Fault::truncated())),
                Err(fault) => return (record, pos, Some(fault)),
            }
        }
        (n, pos, None)
    }

    /// Returns true if records take no bytes, so that only a limit bounds the number that a block may claim.
    pub(crate) fn rows_are_empty(&self) -> bool {
        self.skip_record.is_empty()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for field in &*self.fields {
            writeln!(f, "{}: {:?}", field.name, field.dtype)?;
        }
        Ok(())
    }
}
