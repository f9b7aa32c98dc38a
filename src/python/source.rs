//! Sources that Python can open.

use std::path::PathBuf;
use std::sync::Arc;

use polars_buffer::Buffer;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use super::interrupt::{Slow, Waiting};
use super::open_file::OpenFile;
#[cfg(feature = "object_store")]
use super::store::StoreFile;
use polars_avro::{FileInput, MemorySource, Result, Source};

/// A source that Python can open. The order matters: bytes would be a path as well.
#[derive(FromPyObject)]
pub(super) enum SourceArg {
    Bytes(PyBackedBytes),
    Open(Py<OpenFile>),
    #[cfg(feature = "object_store")]
    Store(Py<StoreFile>),
    Path(PathBuf),
}

impl SourceArg {
    /// Returns the source if its reads may block for long.
    pub(super) fn slow(&self) -> Slow {
        match self {
            #[cfg(feature = "object_store")]
            Self::Store(file) => Some(Arc::new(file.get().0.clone())),
            Self::Open(file) => file.get().object.clone().map(|object| object as Arc<dyn Waiting>),
            Self::Bytes(_) | Self::Path(_) => None,
        }
    }

    /// Converts to one of several files; bytes are not copied.
    pub(super) fn into_input(self) -> FileInput {
        match self {
            Self::Bytes(bytes) => FileInput::Source(Arc::new(MemorySource::new(Buffer::from_owner(bytes)))),
            Self::Open(file) => FileInput::Source(file.get().source.clone()),
            #[cfg(feature = "object_store")]
            Self::Store(file) => FileInput::Deferred(Arc::new(file.get().0.clone())),
            Self::Path(path) => FileInput::Path(path),
        }
    }

    /// Opens the source.
    pub(super) fn open(self) -> Result<Arc<dyn Source>> {
        self.into_input().open()
    }
}
