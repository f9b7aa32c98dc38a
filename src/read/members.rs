//! The files of a read over several, opened when their turn comes.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::opened::Opened;
use super::plans::{Known, Plans};
use super::portions::Portions;
use super::stats::{Counters, Held};
use super::stream::{BlockStream, Wanted};
use super::survey::Surveyed;
use super::task::Part;
use super::window::Spare;
use crate::plan::Plan;
use crate::{Error, ErrorKind, FileSource, Header, Limits, MemorySource, Result, Schema, Source};

/// A file of fewer bytes is read at once and closed.
pub(super) const SMALL: u64 = 256 << 10;

/// A file that may be opened any number of times.
pub enum Input {
    /// A local file.
    Path(PathBuf),
    /// Something open.
    Source(Arc<dyn Source>),
}

/// One of several files.
pub(super) struct Member {
    pub(super) number: usize,
    input: Input,
    size: OnceLock<u64>,
    surveyed: Arc<Surveyed>,
}

impl Member {
    pub(super) fn new(number: usize, input: Input) -> Self {
        Self { number, input, size: OnceLock::new(), surveyed: Arc::default() }
    }

    /// What it is called in errors.
    pub(super) fn name(&self) -> String {
        match &self.input {
            Input::Path(path) => path.display().to_string(),
            Input::Source(source) => source.name().to_owned(),
        }
    }

    /// How many bytes it has.
    pub(super) fn size(&self) -> Result<u64> {
        if let Some(size) = self.size.get() {
            return Ok(*size);
        }
        let size = match &self.input {
            Input::Path(path) => {
                let metadata = fs::metadata(path);
                metadata.map_err(|error| Error::source(error).in_file(&path.display().to_string()))?.len()
            }
            Input::Source(source) => source.size(),
        };
        Ok(*self.size.get_or_init(|| size))
    }

    /// Its bytes; those of a small file are in memory.
    pub(super) fn open(&self) -> Result<Arc<dyn Source>> {
        let source: Arc<dyn Source> = match &self.input {
            Input::Path(path) => Arc::new(FileSource::open(path)?),
            Input::Source(source) => source.clone(),
        };
        if source.size() >= SMALL || matches!(self.input, Input::Source(_)) {
            return Ok(source);
        }
        let bytes = source.read_at(0, source.size() as usize)?;
        Ok(Arc::new(MemorySource::new(bytes).with_name(source.name())))
    }

    /// How many rows it has, if they were counted.
    pub(super) fn counted(&self) -> Option<u64> {
        self.surveyed.rows()
    }

    /// How many rows its block headers promise; at most the first `limit` are counted. With `plans`, its schema is looked
    /// at as well, unless there are no rows.
    pub(super) fn count(&self, limit: Option<u64>, limits: &Limits, plans: Option<&Plans>) -> Result<u64> {
        if plans.is_none()
            && let Some(rows) = self.counted()
        {
            return Ok(rows);
        }
        let source = self.open()?;
        let header = Header::read(&*source, limits)?;
        let rows = self.surveyed.of_rows(&*source, &header, limit.unwrap_or(u64::MAX))?.totals().1;
        if rows > 0
            && let Some(plans) = plans
        {
            plans.of(&header).map_err(|error| error.in_file(source.name()))?;
        }
        Ok(rows)
    }

    /// Whether the header is sound and no row stands behind it.
    fn is_empty(&self, source: &dyn Source, header: &Header, limits: &Limits) -> bool {
        Schema::parse(&header.schema_json, limits).is_ok()
            && self.surveyed.of_rows(source, header, 1).is_ok_and(|survey| survey.totals().1 == 0)
    }
}

/// The files of one read and what all of them are opened with.
pub(super) struct Members {
    pub(super) members: Vec<Arc<Member>>,
    pub(super) plans: Plans,
    pub(super) portions: Portions,
    pub(super) counters: Arc<Counters>,
    pub(super) spare: Arc<Spare>,
}

impl Members {
    /// Opens the file at this place.
    pub(super) fn open(&self, at: usize) -> Result<(Arc<Opened>, Plan)> {
        let member = &self.members[at];
        let held = Some(Held::new(self.counters.clone()));
        let source = member.open()?;
        let header = Header::read(&*source, &self.plans.limits)?;
        let limits = &self.plans.limits;
        let Known { schemas, plan } = match self.plans.of(&header) {
            // As for Polars, a file without rows differs from no schema.
            Err(error) if error.kind() == ErrorKind::Schema && member.is_empty(&*source, &header, limits) => {
                self.plans.own().clone()
            }
            known => known.map_err(|error| error.in_file(source.name()))?,
        };
        let (number, limits, surveyed) = (member.number, self.plans.limits.clone(), member.surveyed.clone());
        Ok((Arc::new(Opened { number, source, header, schemas, limits, surveyed, held }), plan))
    }

    /// The stream of an open file.
    pub(super) fn stream(&self, file: &Arc<Opened>, plan: &Plan, rows: Range<u64>) -> BlockStream {
        let (counters, spare) = (self.counters.clone(), self.spare.clone());
        let wanted = Wanted { blocks: file.blocks(), rows };
        BlockStream::new(file.clone(), plan.clone(), self.portions, wanted, counters, spare)
    }

    /// All tasks of the small file at this place, and how many rows were passed for them. Its first row is row `base`
    /// of the read, and those in `rows` of the file are wanted.
    pub(super) fn tasks(&self, at: usize, base: u64, rows: Range<u64>, parts: &mut Vec<Part>) -> Result<u64> {
        let (file, plan) = self.open(at)?;
        let mut stream = self.stream(&file, &plan, rows);
        while let Some(task) = stream.next_task()? {
            parts.push(Part { file: file.clone(), plan: plan.clone(), base, task });
        }
        Ok(stream.row())
    }
}
