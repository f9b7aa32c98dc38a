//! The files of one read.

use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock};

use crate::executor::lock;
use crate::plan::Plan;
use crate::read::fetch::BufferPool;
use crate::read::files::{FileEntry, OpenFile, PlanCache, Selection};
use crate::read::settings::ReadSettings;
use crate::read::stats::{Counters, add};
use crate::{Error, ErrorKind, Result};

/// The files of one read and their shared settings.
pub(crate) struct FileList {
    pub(crate) files: Vec<Arc<FileEntry>>,
    /// The byte range of the blocks to read, if the only file is not read whole.
    pub(crate) blocks: Option<Range<u64>>,
    pub(crate) cache: Arc<PlanCache>,
    pub(crate) selection: Selection,
    pub(crate) settings: ReadSettings,
    pub(crate) counters: Arc<Counters>,
    pub(crate) buffers: Arc<BufferPool>,
}

/// An open file and the plan that it is read by.
#[derive(Clone)]
pub(crate) struct Opened {
    pub(crate) file: Arc<OpenFile>,
    pub(crate) plan: Plan,
}

/// A file of a read. The first thread that needs it opens it; it is closed with its last section.
pub(crate) struct FileSlot {
    /// Index in the list.
    pub(super) at: usize,
    /// The file, or the reason why it cannot be opened, until that is returned.
    opened: OnceLock<std::result::Result<Opened, Mutex<Option<Error>>>>,
}

impl FileList {
    fn open(&self, at: usize) -> Result<Opened> {
        let file = self.files[at].open_file(&self.cache, &self.counters)?;
        let planned = file.resolved.plan(&self.selection, &file.limits);
        let (plan, is_new) = planned.map_err(|error| error.in_file(file.source.name()))?;
        add(&self.counters.plans_compiled, u64::from(is_new));
        Ok(Opened { file, plan })
    }

    /// Returns the byte range of the blocks to read of an open file.
    pub(super) fn blocks_of(&self, file: &OpenFile) -> Range<u64> {
        self.blocks.clone().unwrap_or_else(|| file.blocks())
    }
}

impl FileSlot {
    pub(super) fn new(at: usize) -> Arc<Self> {
        Arc::new(Self { at, opened: OnceLock::new() })
    }

    /// Returns the file, and opens it if needed.
    ///
    /// # Errors
    /// If it cannot be opened. Only the first call returns the reason.
    pub(super) fn open(&self, list: &FileList) -> Result<&Opened> {
        let gone = || Error::new(ErrorKind::Internal, "a file that cannot be opened");
        self.try_open(list).map_err(|error| lock(error).take().unwrap_or_else(gone))
    }

    /// Returns the file, and opens it if needed; keeps the error for [`FileSlot::open`].
    pub(super) fn try_open(&self, list: &FileList) -> std::result::Result<&Opened, &Mutex<Option<Error>>> {
        let open = || list.open(self.at).map_err(|error| Mutex::new(Some(error)));
        self.opened.get_or_init(open).as_ref()
    }
}
