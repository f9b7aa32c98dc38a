//! Sources and sinks of bytes, one file per kind. The rest of the crate uses [`Source`] and [`Sink`] only.

#[cfg(test)]
mod counting;
mod decompressed;
mod file;
mod file_sink;
mod memory;
mod memory_sink;
#[cfg(feature = "object_store")]
mod object_store;
mod sink;

use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use polars_buffer::Buffer;

use crate::Result;

#[cfg(test)]
pub(crate) use counting::CountingSource;
pub(crate) use decompressed::{decompressed, is_compressed_name};
pub use file::FileSource;
pub use file_sink::{FileSink, SyncOnClose};
pub use memory::MemorySource;
pub use memory_sink::MemorySink;
#[cfg(feature = "object_store")]
pub use object_store::{
    CredentialSource, CredentialSources, Credentials, OptionValue, SCHEMES, StoreFile, StoreOptions, StoreSink,
    StoreTarget, StoreTargets, WaitCheck, remove_store_files, store_files_in, store_sizes,
};
pub use sink::Sink;

/// A file of known size that many threads may read at any offset.
///
/// ```
/// use polars_avro::arrow::Buffer;
/// use polars_avro::{ContainerFile, OpenOptions, Result, Source};
///
/// /// Bytes that are part of the program.
/// struct Embedded(&'static [u8]);
///
/// impl Source for Embedded {
///     fn name(&self) -> &str {
///         "<embedded>"
///     }
///
///     fn size(&self) -> u64 {
///         self.0.len() as u64
///     }
///
///     fn read_at(&self, offset: u64, len: usize) -> Result<Buffer<u8>> {
///         let rest = &self.0[self.0.len().min(offset as usize)..];
///         Ok(rest[..rest.len().min(len)].to_vec().into())
///     }
/// }
///
/// let bytes = std::fs::read("docs/sample.avro")?.leak();
/// assert_eq!(ContainerFile::open(Embedded(bytes), &OpenOptions::default())?.count_rows(None)?, 300);
/// # Ok::<(), polars_avro::Error>(())
/// ```
pub trait Source: Send + Sync {
    /// Returns its name in errors: a path, a URL, `<bytes>`.
    fn name(&self) -> &str;

    /// Returns its size in bytes.
    fn size(&self) -> u64;

    /// Returns the `len` bytes at `offset`, fewer only if the source ends.
    ///
    /// # Errors
    /// [`ErrorKind::Source`](crate::ErrorKind::Source) if they cannot be read.
    fn read_at(&self, offset: u64, len: usize) -> Result<Buffer<u8>>;

    /// Fills `out` with the bytes at `offset`; returns their number, which is smaller only if the source ends.
    ///
    /// # Errors
    /// As [`Source::read_at`].
    fn read_into(&self, offset: u64, out: &mut [u8]) -> Result<usize> {
        let bytes = self.read_at(offset, out.len())?;
        out[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    /// Does the same as [`Source::read_at`] if the first bytes are `known` already. A source that copies bytes copies these
    /// and reads only the others; it may reuse the memory of `used`.
    ///
    /// # Errors
    /// As [`Source::read_at`].
    fn read_at_reusing(&self, offset: u64, len: usize, known: &[u8], used: Vec<u8>) -> Result<Buffer<u8>> {
        if known.is_empty() {
            return self.read_at(offset, len);
        }
        let mut bytes = used;
        bytes.clear();
        bytes.extend_from_slice(known);
        bytes.extend_from_slice(&self.read_at(offset + known.len() as u64, len.saturating_sub(known.len()))?);
        Ok(bytes.into())
    }

    /// Returns true if every read costs a round trip, unless it follows the one before it.
    fn is_remote(&self) -> bool {
        false
    }

    /// Returns the compression of the file as a whole, such as `gzip`, which hides the offsets of its blocks.
    #[doc(hidden)]
    fn compression(&self) -> Option<&'static str> {
        None
    }

    /// Announces that this range will be read in order, as long as the result lives.
    fn read_ahead(&self, range: Range<u64>) -> ReadAhead {
        let _ = range;
        ReadAhead::default()
    }
}

/// A file that is not open yet, and that may be opened any number of times.
///
/// ```
/// use std::ops::Range;
/// use std::sync::Arc;
///
/// use polars_avro::{DeferredSource, FileInput, FileSet, FileSource, OpenOptions, ReadAhead, Result, Source};
///
/// /// A file that is opened when its turn comes.
/// struct Later(&'static str);
///
/// impl DeferredSource for Later {
///     fn name(&self) -> &str {
///         self.0
///     }
///
///     fn known_size(&self) -> Option<u64> {
///         None
///     }
///
///     fn open(&self) -> Result<Arc<dyn Source>> {
///         Ok(Arc::new(FileSource::open(self.0)?))
///     }
///
///     fn read_ahead(&self, _: Range<u64>) -> ReadAhead {
///         ReadAhead::default()
///     }
/// }
///
/// let inputs = [FileInput::Deferred(Arc::new(Later("docs/sample.avro")))];
/// assert_eq!(FileSet::new(inputs, &OpenOptions::default())?.count_rows(None)?, 300);
/// # Ok::<(), polars_avro::Error>(())
/// ```
pub trait DeferredSource: Send + Sync {
    /// Returns its name in errors.
    fn name(&self) -> &str;

    /// Returns its size in bytes, if that is known without waiting.
    fn known_size(&self) -> Option<u64>;

    /// Opens the file.
    ///
    /// # Errors
    /// [`ErrorKind::Source`](crate::ErrorKind::Source) if it cannot be opened.
    fn open(&self) -> Result<Arc<dyn Source>>;

    /// Announces that this range will be read in order, as long as the result lives.
    fn read_ahead(&self, range: Range<u64>) -> ReadAhead;
}

/// A promise to read on. When it is dropped, requests that were made only for it are cancelled.
///
/// ```
/// use polars_avro::{MemorySource, ReadAhead, Source};
///
/// // Bytes in memory need nothing ahead.
/// let promise: ReadAhead = MemorySource::new(b"Obj".to_vec()).read_ahead(0..3);
/// drop(promise);
/// // What is cancelled when the promise is dropped: here a value that is freed.
/// drop(ReadAhead::new(vec![0; 10]));
/// ```
#[derive(Default)]
pub struct ReadAhead {
    #[expect(dead_code, reason = "it is there to be dropped")]
    promise: Option<Box<dyn Any + Send + Sync>>,
}

impl ReadAhead {
    /// Creates a promise that ends when `promise` is dropped.
    pub fn new(promise: impl Any + Send + Sync) -> Self {
        Self { promise: Some(Box::new(promise)) }
    }
}

impl fmt::Debug for ReadAhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadAhead").finish_non_exhaustive()
    }
}
