//! Inputs of a read: a path, bytes, or a source.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polars_buffer::Buffer;

use crate::{DeferredSource, FileSource, MemorySource, Result, Source};

/// A file that may be opened any number of times.
///
/// ```
/// use polars_avro::{FileInput, FileSet, OpenOptions};
///
/// let bytes = std::fs::read("docs/sample.avro")?;
/// let inputs = [FileInput::from("docs/sample.avro"), FileInput::from(bytes)];
/// assert_eq!(FileSet::new(inputs, &OpenOptions::default())?.len(), 2);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone)]
pub enum FileInput {
    /// A local file.
    Path(PathBuf),
    /// An open source.
    Source(Arc<dyn Source>),
    /// A source that takes long to open.
    Deferred(Arc<dyn DeferredSource>),
}

impl FileInput {
    /// Opens the file.
    ///
    /// # Errors
    /// [`ErrorKind::Source`](crate::ErrorKind::Source) if it cannot be opened.
    pub fn open(&self) -> Result<Arc<dyn Source>> {
        Ok(match self {
            Self::Path(path) => Arc::new(FileSource::open(path)?),
            Self::Source(source) => source.clone(),
            Self::Deferred(file) => file.open()?,
        })
    }
}

impl fmt::Debug for FileInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Self::Path(path) => return f.debug_tuple("Path").field(path).finish(),
            Self::Source(source) => ("Source", source.name()),
            Self::Deferred(file) => ("Deferred", file.name()),
        };
        f.debug_tuple(kind).field(&name).finish()
    }
}

/// Implements `From` for paths.
macro_rules! from_path {
    ($($path:ty),*) => {
        $(impl From<$path> for FileInput {
            fn from(path: $path) -> Self {
                Self::Path(path.into())
            }
        })*
    };
}

/// Implements `From` for the bytes of a file.
macro_rules! from_bytes {
    ($($bytes:ty),*) => {
        $(impl From<$bytes> for FileInput {
            fn from(bytes: $bytes) -> Self {
                MemorySource::new(bytes).into()
            }
        })*
    };
}

from_path!(&str, String, &String, &Path, PathBuf, &PathBuf);
from_bytes!(Vec<u8>, Buffer<u8>);

impl From<&[u8]> for FileInput {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl<S: Source + 'static> From<S> for FileInput {
    fn from(source: S) -> Self {
        Self::Source(Arc::new(source))
    }
}

impl<S: Source + 'static> From<Arc<S>> for FileInput {
    fn from(source: Arc<S>) -> Self {
        Self::Source(source)
    }
}

impl From<Arc<dyn Source>> for FileInput {
    fn from(source: Arc<dyn Source>) -> Self {
        Self::Source(source)
    }
}

#[cfg(feature = "object_store")]
impl From<crate::StoreFile> for FileInput {
    fn from(file: crate::StoreFile) -> Self {
        Self::Deferred(Arc::new(file))
    }
}

impl From<Arc<dyn DeferredSource>> for FileInput {
    fn from(file: Arc<dyn DeferredSource>) -> Self {
        Self::Deferred(file)
    }
}
