//! The files of a read over several, each opened when it is needed.

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
use crate::{Error, Header, Result, Source};

/// One of several files.
pub(crate) struct FileEntry {
    pub(crate) number: usize,
    input: FileInput,
    size: OnceLock<u64>,
    /// True if its name is that of a compressed file: its size is known only after it was opened.
    is_compressed: bool,
    /// The file, if the caller opened it before the read.
    pub(crate) open: Option<Arc<OpenFile>>,
    index: Arc<SharedBlockIndex>,
}

impl FileEntry {
    pub(crate) fn new(number: usize, input: FileInput) -> Self {
        let mut entry =
            Self { number, input, size: OnceLock::new(), is_compressed: false, open: None, index: Arc::default() };
        entry.is_compressed = !matches!(entry.input, FileInput::Source(_)) && is_compressed_name(&entry.name());
        entry
    }

    /// Creates an entry of a file that is open already.
    pub(crate) fn of_open(file: Arc<OpenFile>) -> Self {
        let (number, input, index) = (file.number, FileInput::Source(file.source.clone()), file.index.clone());
        Self { number, input, size: OnceLock::new(), is_compressed: false, open: Some(file), index }
    }

    /// Returns its name in errors.
    pub(crate) fn name(&self) -> String {
        match &self.input {
            FileInput::Path(path) => path.display().to_string(),
            FileInput::Source(source) => source.name().to_owned(),
            FileInput::Deferred(file) => file.name().to_owned(),
        }
    }

    /// Returns its size in bytes.
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

    /// Returns its size in bytes, if that is known without waiting.
    pub(crate) fn known_size(&self) -> Option<u64> {
        match &self.input {
            _ if self.is_compressed => self.size.get().copied(),
            FileInput::Deferred(file) => file.known_size(),
            _ => self.size().ok(),
        }
    }

    /// Returns true if its bytes may take long to arrive.
    pub(crate) fn is_remote(&self) -> bool {
        match &self.input {
            FileInput::Path(_) => false,
            FileInput::Source(source) => source.is_remote(),
            FileInput::Deferred(_) => true,
        }
    }

    /// Announces that this range of its bytes will be read.
    pub(crate) fn read_ahead(&self, range: Range<u64>) -> ReadAhead {
        match &self.input {
            FileInput::Path(_) => ReadAhead::default(),
            FileInput::Source(source) => source.read_ahead(range),
            FileInput::Deferred(file) => file.read_ahead(range),
        }
    }

    /// Opens its bytes; those of a small file are loaded into memory.
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

    /// Returns the numbers of blocks and rows, if they were counted.
    pub(crate) fn counted(&self) -> Option<(u64, u64)> {
        self.index.totals()
    }

    /// Returns true if the file is known to be small: it is then loaded at once and closed.
    pub(crate) fn is_small(&self) -> bool {
        self.known_size().is_some_and(|size| size < SECTION_BYTES.start)
    }

    /// Opens the file and resolves its schema. It counts as open until the result is dropped.
    pub(crate) fn open_file(&self, cache: &PlanCache, counters: &Arc<Counters>) -> Result<Arc<OpenFile>> {
        if let Some(file) = &self.open {
            return Ok(file.clone());
        }
        let held = Some(Held::new(counters.clone()));
        let file = OpenFile::open(self.open()?, cache, true)?;
        Ok(Arc::new(OpenFile { number: self.number, index: self.index.clone(), held, ..file }))
    }

    /// Returns how many rows its block headers claim; counting may stop at `limit`. If `check`, a file with rows must fit
    /// the reader's schema.
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
}
