//! The files of a read over several, opened when their turn comes.

use std::fs;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::{FileInput, OpenFile, PlanCache, Selection};
use crate::ReadAhead;
use crate::read::blocks::SharedBlockIndex;
use crate::read::fetch;
use crate::read::settings::SECTION_BYTES;
use crate::read::stats::{Counters, Held};
use crate::source::{decompressed, is_compressed_name};
use crate::{Error, ErrorKind, Header, Result, Schema, Source};

/// One of several files.
pub(crate) struct FileEntry {
    pub(crate) number: usize,
    input: FileInput,
    size: OnceLock<u64>,
    /// It is compressed as a whole, by its name: its size is known once it is opened.
    is_compressed: bool,
    /// The file, if somebody has it open anyway.
    open: Option<Arc<OpenFile>>,
    index: Arc<SharedBlockIndex>,
}

impl FileEntry {
    pub(crate) fn new(number: usize, input: FileInput) -> Self {
        let mut entry =
            Self { number, input, size: OnceLock::new(), is_compressed: false, open: None, index: Arc::default() };
        entry.is_compressed = !matches!(entry.input, FileInput::Source(_)) && is_compressed_name(&entry.name());
        entry
    }

    /// A file that is open already.
    pub(crate) fn of_open(file: Arc<OpenFile>) -> Self {
        let (number, input, index) = (file.number, FileInput::Source(file.source.clone()), file.index.clone());
        Self { number, input, size: OnceLock::new(), is_compressed: false, open: Some(file), index }
    }

    /// What it is called in errors.
    pub(crate) fn name(&self) -> String {
        match &self.input {
            FileInput::Path(path) => path.display().to_string(),
            FileInput::Source(source) => source.name().to_owned(),
            FileInput::Deferred(file) => file.name().to_owned(),
        }
    }

    /// How many bytes it has.
    pub(crate) fn size(&self) -> Result<u64> {
        if let Some(size) = self.size.get() {
            return Ok(*size);
        }
        let size = match &self.input {
            FileInput::Path(path) => {
                let metadata = fs::metadata(path);
                metadata.map_err(|error| Error::source(error).in_file(&path.display().to_string()))?.len()
            }
            FileInput::Source(source) => source.size(),
            FileInput::Deferred(file) => file.open()?.size(),
        };
        Ok(*self.size.get_or_init(|| size))
    }

    /// How many bytes it has, if that is known without waiting.
    pub(crate) fn known_size(&self) -> Option<u64> {
        match &self.input {
            _ if self.is_compressed => self.size.get().copied(),
            FileInput::Deferred(file) => file.known_size(),
            _ => self.size().ok(),
        }
    }

    /// Whether its bytes may take long to come.
    pub(crate) fn is_remote(&self) -> bool {
        match &self.input {
            FileInput::Path(_) => false,
            FileInput::Source(source) => source.is_remote(),
            FileInput::Deferred(_) => true,
        }
    }

    /// Promises that this range of its bytes will be read.
    pub(crate) fn read_ahead(&self, range: Range<u64>) -> ReadAhead {
        match &self.input {
            FileInput::Path(_) => ReadAhead::default(),
            FileInput::Source(source) => source.read_ahead(range),
            FileInput::Deferred(file) => file.read_ahead(range),
        }
    }

    /// Its bytes; those of a small file are in memory.
    pub(crate) fn open(&self) -> Result<Arc<dyn Source>> {
        let source = self.input.open()?;
        if self.is_compressed {
            let source = decompressed(source)?;
            let _ = self.size.set(source.size());
            return Ok(source);
        }
        if source.size() >= SECTION_BYTES.start || matches!(self.input, FileInput::Source(_)) {
            return Ok(source);
        }
        Ok(Arc::new(fetch::load(&*source)?))
    }

    /// Returns how many blocks and rows it has, if they were counted.
    pub(crate) fn counted(&self) -> Option<(u64, u64)> {
        self.index.totals()
    }

    /// The file, if it is open already.
    pub(crate) fn opened(&self) -> Option<&Arc<OpenFile>> {
        self.open.as_ref()
    }

    /// Whether the file is read at once and closed, as far as that is known without waiting.
    pub(crate) fn is_small(&self) -> bool {
        self.known_size().is_some_and(|size| size < SECTION_BYTES.start)
    }

    /// Opens the file and resolves its schema; it counts as open while this is there.
    pub(crate) fn open_file(&self, cache: &PlanCache, counters: &Arc<Counters>) -> Result<Arc<OpenFile>> {
        if let Some(file) = &self.open {
            return Ok(file.clone());
        }
        let held = Some(Held::new(counters.clone()));
        let source = self.open()?;
        let limits = cache.options.limits.clone();
        let header = Header::read(&*source, &limits)?;
        let resolved = cache.of(&header.schema_json);
        let differs = match &resolved {
            Ok(resolved) => resolved.has_refusals(),
            Err(error) => error.kind() == ErrorKind::Schema,
        };
        let resolved = match cache.own()? {
            // As for Polars, a file without rows differs from no schema.
            Some(own) if differs && self.is_empty(&source, &header, cache) => own.clone(),
            _ => resolved.map_err(|error| error.in_file(source.name()))?,
        };
        Ok(Arc::new(OpenFile {
            number: self.number,
            source,
            header,
            resolved,
            limits,
            index: self.index.clone(),
            held,
        }))
    }

    /// Returns how many rows its block headers promise; at most the first `limit` are counted. A file with rows must fit
    /// the reader's schema if `check`.
    pub(crate) fn count(&self, limit: Option<u64>, cache: &PlanCache, check: bool) -> Result<u64> {
        if !check && let Some((_, rows)) = self.counted() {
            return Ok(rows);
        }
        let limit = limit.unwrap_or(u64::MAX);
        if let Some(file) = &self.open {
            return Ok(self.index.up_to_row(&file.source, &file.header, limit)?.totals().1);
        }
        let source = self.open()?;
        let header = Header::read(&*source, &cache.options.limits)?;
        let rows = self.index.up_to_row(&source, &header, limit)?.totals().1;
        if check && rows > 0 {
            let none = Selection { columns: Some(Vec::new()), ..Selection::default() };
            let plan = cache.of(&header.schema_json).and_then(|resolved| resolved.plan(&none, &cache.options.limits));
            plan.map_err(|error| error.in_file(source.name()))?;
        }
        Ok(rows)
    }

    /// Whether the header is sound and no row follows it.
    fn is_empty(&self, source: &Arc<dyn Source>, header: &Header, cache: &PlanCache) -> bool {
        Schema::parse(&header.schema_json, &cache.options.limits).is_ok()
            && self.index.up_to_row(source, header, 1).is_ok_and(|index| index.totals().1 == 0)
    }
}
