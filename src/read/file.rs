//! A file that can be read.

use std::sync::Arc;

use polars_arrow::datatypes::Field;

use super::opened::Opened;
use super::opener::Opener;
use super::options::{OpenOptions, ReadOptions};
use super::plans::Known;
use super::reader::BatchReader;
use super::salvage::Salvaged;
use super::sequence::Sequence;
use super::split::{self, FirstBlock};
use super::stats::Counters;
use super::stream::Wanted;
use super::survey::Survey;
use crate::container::Header;
use crate::executor;
use crate::plan::{Plan, Projection};
use crate::source::Source;
use crate::{Limits, Result, Schema};

/// A file whose header has been read. Cheap to clone; nothing of it changes.
#[derive(Clone)]
pub struct ContainerFile {
    opened: Arc<Opened>,
    plan: Plan,
}

impl ContainerFile {
    /// Reads a file's header and makes the plan for reading all of it.
    ///
    /// # Errors
    /// Where the source cannot be read or is not an Avro object container file, where its schema is not valid, and where
    /// it cannot be read as the reader's schema.
    pub fn open(source: Arc<dyn Source>, options: &OpenOptions) -> Result<Self> {
        Opener::new(options.clone()).open(source)
    }

    pub(super) fn new(source: Arc<dyn Source>, header: Header, known: Known, limits: Limits) -> Self {
        let Known { schemas, plan } = known;
        let opened = Opened { number: 0, source, header, schemas, limits, surveyed: Arc::default(), held: None };
        Self { opened: Arc::new(opened), plan }
    }

    /// What the file says of itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.opened.header
    }

    /// The schema the file was written with.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.opened.schemas.writer
    }

    /// How many bytes the file has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.opened.source.size()
    }

    /// Every column, as Polars has it.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.plan.fields
    }

    /// The number of rows, by the block headers alone; counting may stop at `limit`.
    ///
    /// # Errors
    /// Where a block header is damaged or the file is cut short.
    pub fn count_rows(&self, limit: Option<u64>) -> Result<u64> {
        Ok(self.survey(limit.unwrap_or(u64::MAX))?.totals().1)
    }

    /// The number of rows that come out where damaged blocks are left out, by decoding all; counting may stop at `limit`.
    ///
    /// # Errors
    /// Where the source cannot be read, and where there are more damaged blocks than the limit allows.
    pub fn count_sound_rows(&self, limit: Option<u64>) -> Result<u64> {
        self.read(&ReadOptions::counting_sound(limit))?.height()
    }

    /// The number of blocks and of rows, by the block headers alone.
    ///
    /// # Errors
    /// Where a block header is damaged or the file is cut short.
    pub fn count_blocks(&self) -> Result<(u64, u64)> {
        Ok(self.survey(u64::MAX)?.totals())
    }

    /// The headers of so many rows.
    fn survey(&self, rows: u64) -> Result<Arc<Survey>> {
        let Opened { source, header, surveyed, .. } = &*self.opened;
        surveyed.of_rows(&**source, header, rows)
    }

    /// Starts reading.
    ///
    /// # Errors
    /// Where a column is not in the file or is asked for twice.
    pub fn read(&self, options: &ReadOptions) -> Result<BatchReader> {
        let Opened { schemas, limits, source, .. } = &*self.opened;
        let mut plan = match &options.columns {
            None => self.plan.clone(),
            Some(columns) if self.plan.is_of(columns) => self.plan.clone(),
            Some(columns) => Plan::compile(schemas, &Projection::columns(Some(columns)), limits)?,
        };
        let salvage = options.ignore_errors;
        if salvage && options.columns.is_some() {
            plan.whole = Some(Arc::new(self.plan.clone()));
        }
        let mut extras = options.extras(&plan.fields)?;
        let filter = options.filter();
        if let Some(filter) = &filter {
            plan = plan.testing(filter.columns(), schemas, limits)?;
        }
        let blocks = match &options.byte_range {
            None => self.opened.blocks(),
            Some(range) => split::blocks(&self.opened, range, salvage).map_err(|error| error.in_file(source.name()))?,
        };
        let small = blocks.end - blocks.start < SMALL_FILE || options.length.is_some_and(|rows| rows <= FEW_ROWS);
        let portions = options.portions(if small { 1 } else { executor::threads() });
        let fields = extras.fields(&plan.fields);
        let salvaged = Salvaged::new(options, &mut extras, limits);
        let counters = Arc::new(Counters::default());
        let wanted = Wanted { blocks, rows: options.rows_by_header() };
        if wanted.rows.start > 0 && options.byte_range.is_none() {
            self.survey(wanted.rows.start)?;
        }
        let first = wanted.blocks.start;
        let sequence = Sequence::of_one(self.opened.clone(), plan, wanted, portions, counters.clone());
        let reader = BatchReader::new(sequence, fields, portions, extras, filter, salvaged, counters);
        if first == self.opened.header.size {
            return Ok(reader);
        }
        Ok(reader.starting_at(FirstBlock::new(self.opened.clone(), first)))
    }
}

/// A file of fewer bytes is decoded where it is asked for: threads cost more than they save.
pub(super) const SMALL_FILE: u64 = 1 << 20;

/// So are so many rows.
pub(super) const FEW_ROWS: u64 = 128;
