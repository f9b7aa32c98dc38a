//! Files in a store: the public types of downloads.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path;
use polars_buffer::Buffer;

use super::group::Group;
use super::location::Location;
use super::options::StoreOptions;
use super::settings::Ahead;
use super::store::{CredentialSources, Store, Stores};
use crate::source::{DeferredSource, ReadAhead, Source};
use crate::{Error, Result};

/// A file in an object store or behind HTTP. No request is sent before it is opened or promised to be read.
///
/// ```
/// use polars_avro::{CredentialSources, FileInput, StoreFile, StoreOptions};
///
/// let urls = ["s3://bucket/a.avro", "s3://bucket/b.avro"].map(str::to_owned);
/// let files = StoreFile::all(urls, &StoreOptions::default(), CredentialSources::new(), None)?;
/// assert_eq!(files[1].name(), "s3://bucket/b.avro");
/// // Nothing is requested before a read needs it.
/// let inputs: Vec<FileInput> = files.into_iter().map(FileInput::from).collect();
/// assert_eq!(inputs.len(), 2);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone)]
pub struct StoreFile {
    group: Arc<Group>,
    index: usize,
}

impl StoreFile {
    /// Creates files that are read in this order: while one is read, the next ones are prefetched. `chunk` is the size of a
    /// request in bytes. `None` is `POLARS_DOWNLOAD_CHUNK_SIZE_STREAMING`, or 2 MiB if that is not set.
    ///
    /// # Errors
    /// If a URL names no object of a known scheme, or if its store does not know an option.
    pub fn all(
        urls: impl IntoIterator<Item = String>,
        options: &StoreOptions,
        credentials: CredentialSources,
        chunk: Option<u64>,
    ) -> Result<Vec<Self>> {
        let urls: Vec<String> = urls.into_iter().collect();
        options.check(urls.iter().map(String::as_str))?;
        let locations = urls.iter().map(|url| Location::parse(url)).collect::<Result<Vec<_>>>()?;
        let count = locations.len();
        let stores = Arc::new(Stores::new(options.clone(), credentials));
        let group = Group::new(locations, stores, Ahead::from_environment(chunk));
        Ok((0..count).map(|index| Self { group: group.clone(), index }).collect())
    }

    /// Creates a file in a store of the caller: any implementation of [`ObjectStore`]. Requests run on threads of this
    /// crate, on Tokio.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use polars_avro::object_store::{memory::InMemory, path::Path};
    /// use polars_avro::{ContainerFile, OpenOptions, ReadOptions, StoreFile, StoreTargets, WriteOptions, Writer};
    ///
    /// let store = Arc::new(InMemory::new());
    /// let batch = ContainerFile::open("docs/sample.avro", &OpenOptions::default())?
    ///     .read(&ReadOptions::default())?
    ///     .next()
    ///     .unwrap()?;
    /// let targets = StoreTargets::of_store(store.clone(), false, Box::new(|| Ok(())));
    /// let sink = targets.target_at(Path::from("rows.avro")).create();
    /// let mut writer = Writer::create(|| Ok(Box::new(sink)), &batch.fields, &[], &WriteOptions::default())?;
    /// writer.write(&batch.into_struct())?;
    /// writer.finish()?;
    ///
    /// assert!(targets.target("s3://bucket/rows.avro").is_err());
    ///
    /// let file = StoreFile::from_store(store, Path::from("rows.avro"));
    /// let set = ContainerFile::open(file, &OpenOptions::default())?;
    /// assert_eq!(set.count_rows(None)?, 300);
    /// # Ok::<(), polars_avro::Error>(())
    /// ```
    #[must_use]
    pub fn from_store(store: Arc<dyn ObjectStore>, path: Path) -> Self {
        let stores = Arc::new(Stores::given(Store { objects: store, parts: None }));
        Self { group: Group::new(vec![Location::given(path)], stores, Ahead::from_environment(None)), index: 0 }
    }

    /// Returns the URL without secrets.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.group.locations[self.index].shown
    }

    /// Interrupts the reads that wait for bytes now, of all files created with this one. They fail.
    #[doc(hidden)]
    pub fn interrupt_reads(&self) {
        self.group.interrupt();
    }
}

impl fmt::Debug for StoreFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreFile({})", self.name())
    }
}

impl DeferredSource for StoreFile {
    fn name(&self) -> &str {
        self.name()
    }

    fn known_size(&self) -> Option<u64> {
        self.group.size(self.index)
    }

    fn open(&self) -> Result<Arc<dyn Source>> {
        let size = self.group.open(self.index)?;
        Ok(Arc::new(OpenStoreFile { file: self.clone(), size }))
    }

    fn read_ahead(&self, range: Range<u64>) -> ReadAhead {
        promise(self, &range)
    }
}

/// A promise to read one file, released when it is dropped.
struct Promise {
    group: Arc<Group>,
    index: usize,
    id: u64,
}

fn promise(file: &StoreFile, range: &Range<u64>) -> ReadAhead {
    let id = file.group.expect([file.index], range);
    ReadAhead::new(Promise { group: file.group.clone(), index: file.index, id })
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.group.release(self.id, [self.index]);
    }
}

/// A file whose size is known.
struct OpenStoreFile {
    file: StoreFile,
    size: u64,
}

impl OpenStoreFile {
    fn read(&self, offset: u64, len: usize, take: impl FnMut(&[u8])) -> Result<()> {
        let end = offset.saturating_add(len as u64).min(self.size);
        self.file.group.read(self.file.index, offset..end, take)
    }
}

impl Source for OpenStoreFile {
    fn name(&self) -> &str {
        self.file.name()
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, len: usize) -> Result<Buffer<u8>> {
        self.read_at_reusing(offset, len, &[], Vec::new())
    }

    fn read_into(&self, offset: u64, out: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        self.read(offset, out.len(), |bytes| {
            out[filled..filled + bytes.len()].copy_from_slice(bytes);
            filled += bytes.len();
        })?;
        Ok(filled)
    }

    fn read_at_reusing(&self, offset: u64, len: usize, known: &[u8], used: Vec<u8>) -> Result<Buffer<u8>> {
        let mut bytes = used;
        bytes.clear();
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        // The size comes from the server and may be wrong, so the allocation may fail.
        bytes.try_reserve(len.min(left)).map_err(|_| no_room(len.min(left)).in_file(self.name()))?;
        bytes.extend_from_slice(known);
        let rest = len.saturating_sub(known.len());
        self.read(offset + known.len() as u64, rest, |part| bytes.extend_from_slice(part))?;
        Ok(bytes.into())
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn read_ahead(&self, range: Range<u64>) -> ReadAhead {
        promise(&self.file, &range)
    }
}

#[cold]
fn no_room(bytes: usize) -> Error {
    Error::source(io::Error::new(io::ErrorKind::OutOfMemory, format!("there is no memory for {bytes} bytes at once")))
}
