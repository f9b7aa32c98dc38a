//! What is done with every byte of a file's records, decided once.
//!
//! [`Plan::compile`] turns a resolution and a projection into a record of empty columns. Every task clones it and fills
//! its clone; nothing is looked up per value.

mod compile;
mod leaf;
mod projection;
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
    /// The columns that come out, in the order asked for.
    pub(crate) fields: Arc<[Field]>,
    /// Empty columns to clone and fill.
    pub(crate) record: Arc<Record>,
    /// How to pass over a whole record.
    pub(crate) row: Arc<[Skip]>,
    /// How many values one row becomes in memory, at least.
    pub(crate) row_values: usize,
    pub(crate) programs: Arc<SkipPrograms>,
    /// What a filter looks at first, if there is one.
    pub(crate) tested: Option<Arc<Tested>>,
    /// The plan for all columns, where other columns come out and what is damaged is to be found by decoding everything.
    pub(crate) whole: Option<Arc<Plan>>,
}

/// The part of a plan by which a filter decides.
pub(crate) struct Tested {
    /// The columns that the filter looks at.
    pub(crate) fields: Arc<[Field]>,
    pub(crate) record: Arc<Record>,
    /// Every column of the plan, for records that are decoded one by one.
    pub(crate) wanted: Record,
}

/// The schemas of a file: what it was written with, what it is read as, and how the two meet.
#[derive(Clone, Debug)]
pub(crate) struct Schemas {
    pub(crate) writer: Arc<Schema>,
    pub(crate) reader: Arc<Schema>,
    pub(crate) resolution: Arc<Resolution>,
}

impl Schemas {
    /// Resolves the writer's schema with the reader's, or with itself.
    pub(crate) fn new(writer: Arc<Schema>, reader: Option<Arc<Schema>>, evolution: Evolution) -> Result<Self> {
        let reader = reader.unwrap_or_else(|| writer.clone());
        let resolution = Arc::new(crate::schema::resolve(&writer, &reader, evolution)?);
        Ok(Self { writer, reader, resolution })
    }
}

impl Plan {
    /// The plan for these columns of a file.
    pub(crate) fn compile(schemas: &Schemas, projection: &Projection, limits: &Limits) -> Result<Self> {
        compile::compile(schemas, projection, limits)
    }

    /// The empty column that datums of these schemas are decoded into, one a row.
    pub(crate) fn compile_datum(schemas: &Schemas, projection: &Projection, limits: &Limits) -> Result<AnyColumn> {
        compile::compile_datum(schemas, projection, limits)
    }

    /// The same plan with a filter that looks at these columns; without, where they are all that is wanted.
    pub(crate) fn testing(mut self, columns: &[String], schemas: &Schemas, limits: &Limits) -> Result<Self> {
        let Self { fields, record, .. } = Self::compile(schemas, &Projection::columns(Some(columns)), limits)?;
        let is_tested = |field: &Field| fields.iter().any(|other| other.name == field.name);
        if !self.fields.iter().all(is_tested) {
            let wanted = Record::clone(&self.record).without_rest();
            self.tested = Some(Arc::new(Tested { fields, record, wanted }));
        }
        Ok(self)
    }

    /// Whether these columns come out, in this order, and nothing else.
    pub(crate) fn is_of(&self, columns: &[String]) -> bool {
        let names = self.fields.iter().map(|field| field.name.as_str());
        names.eq(columns.iter().map(String::as_str))
    }

    /// Passes over up to `n` records from `pos` on; gives how many, the position behind them, and what stopped it early.
    pub(crate) fn walk(&self, bytes: &[u8], mut pos: usize, n: u64) -> (u64, usize, Option<Fault>) {
        // Known here, it need not be asked at every value.
        assert!(bytes.len() >= PADDING, "a block without padding");
        let end = data_end(bytes);
        for record in 0..n {
            match self.programs.skip(&self.row, bytes, pos) {
                Ok(next) if next <= end => pos = next,
                Ok(_) => return (record, pos, Some(Fault::truncated())),
                Err(fault) => return (record, pos, Some(fault)),
            }
        }
        (n, pos, None)
    }

    /// Whether records take no bytes at all, so that nothing but a limit bounds how many a block may claim.
    pub(crate) fn rows_are_empty(&self) -> bool {
        self.row.is_empty()
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
