//! Objects to write, as the writer sees them.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use object_store::ObjectStore;
use object_store::multipart::MultipartStore;
use object_store::path::Path;

use super::error::Failure;
use super::location::{Kind, Location};
use super::options::StoreOptions;
use super::runtime::{WaitCheck, wait_for};
use super::settings::Parts;
use super::store::{CredentialSources, Store, Stores};
use super::upload::{Destination, InFlight, Upload};
use crate::source::Sink;
use crate::{Error, ErrorKind, Result};

/// Small objects of a commit that are kept in memory, in bytes; the others are sent ahead as parts.
const HELD_BYTES: usize = 64 << 20;

/// Objects that a commit completes at once.
const COMMITS: usize = 16;

/// Giving up many objects takes no longer than this; one alone has a limit of its own.
const ABORTS_TIMEOUT: Duration = Duration::from_secs(30);

/// Objects to write with one set of options. Clones share them.
///
/// # Examples
/// ```
/// use polars_avro::{CredentialSources, StoreOptions, StoreTargets};
///
/// let targets = StoreTargets::new(StoreOptions::default(), CredentialSources::new(), false, Box::new(|| Ok(())));
/// assert!(targets.target("https://host/rows.avro").is_err());
/// // Nothing is requested before a sink has bytes to send.
/// assert_eq!(targets.target("s3://bucket/rows.avro")?.name(), "s3://bucket/rows.avro");
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone)]
pub struct StoreTargets(Arc<Shared>);

struct Shared {
    /// The process that writes: connections and threads do not survive a fork.
    process: u32,
    stores: Arc<Stores>,
    in_flight: Arc<InFlight>,
    parts: Parts,
    /// Whether objects wait for a commit.
    together: bool,
    check: WaitCheck,
    sealed: Mutex<Vec<Upload>>,
}

impl StoreTargets {
    /// Objects that appear one by one, each at its end, or `together` in a commit.
    #[must_use]
    pub fn new(options: StoreOptions, credentials: CredentialSources, together: bool, check: WaitCheck) -> Self {
        Self::of(Stores::for_writing(options, credentials), together, check)
    }

    /// The same in a store that the caller has made; see [`StoreFile::from_store`](crate::StoreFile::from_store).
    #[must_use]
    pub fn of_store(store: Arc<impl ObjectStore + MultipartStore>, together: bool, check: WaitCheck) -> Self {
        Self::of(Stores::given(Store::of(store)), together, check)
    }

    fn of(stores: Stores, together: bool, check: WaitCheck) -> Self {
        let parts = Parts::from_environment(together);
        Self(Arc::new(Shared {
            process: std::process::id(),
            stores: Arc::new(stores),
            in_flight: Arc::new(InFlight::new(parts.bytes.saturating_mul(parts.at_once))),
            parts,
            together,
            check,
            sealed: Mutex::default(),
        }))
    }

    /// An object to write. Nothing is requested yet.
    ///
    /// # Errors
    /// If the URL names no object of a known scheme, its store has no option of some name, or it is a web address.
    pub fn target(&self, url: &str) -> Result<StoreTarget> {
        let location = Location::parse(url)?;
        if location.kind == Kind::Http {
            let message = "cannot write over HTTP: web servers take files in no common way; write to a store or a path";
            return Err(Error::new(ErrorKind::Unsupported, message).in_file(&location.shown));
        }
        self.0.stores.options.check([url])?;
        Ok(StoreTarget { shared: self.0.clone(), location })
    }

    /// An object of the caller's own store. Nothing is requested yet.
    #[must_use]
    pub fn target_at(&self, path: Path) -> StoreTarget {
        StoreTarget { shared: self.0.clone(), location: Location::given(path) }
    }

    /// Makes all finished objects visible that wait for it.
    ///
    /// # Errors
    /// Where one cannot be completed. The others are given up as far as they are not visible yet.
    pub fn commit(&self) -> Result<()> {
        let mut uploads = std::mem::take(&mut *self.0.sealed());
        let committed = self.0.wait(async {
            let commits = uploads.iter_mut().map(|upload| Box::pin(commit(upload)));
            let mut commits = futures_util::stream::iter(commits).buffer_unordered(COMMITS);
            while let Some(committed) = commits.next().await {
                committed?;
            }
            Ok(())
        });
        if committed.is_err() {
            self.0.abort(uploads);
        }
        committed
    }

    /// Gives up all finished objects that wait for a commit.
    pub fn abort(&self) {
        let uploads = std::mem::take(&mut *self.0.sealed());
        self.0.abort(uploads);
    }
}

async fn commit(upload: &mut Upload) -> Result<()> {
    let committed = upload.commit().await;
    committed.map_err(|failure| failure.raise(upload.name()))
}

impl Shared {
    fn sealed(&self) -> std::sync::MutexGuard<'_, Vec<Upload>> {
        self.sealed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does work of the runtime while this thread waits.
    fn wait<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        if std::process::id() != self.process {
            return Err(Error::argument("a file in a store cannot be written by a process forked from its writer"));
        }
        wait_for(&self.check, work)
    }

    fn abort(&self, mut uploads: Vec<Upload>) {
        if std::process::id() != self.process {
            // They are those of the other process, which goes on with them.
            std::mem::forget(uploads);
            return;
        }
        if uploads.is_empty() {
            return;
        }
        let unchecked: WaitCheck = Box::new(|| Ok(()));
        let aborted = wait_for(&unchecked, async {
            let aborts = uploads.iter_mut().map(|upload| Box::pin(upload.abort()));
            let aborts = futures_util::stream::iter(aborts).buffer_unordered(COMMITS).collect::<Vec<()>>();
            // Most stores end uploads that nobody completes by a rule of theirs.
            drop(tokio::time::timeout(ABORTS_TIMEOUT, aborts).await);
            Ok(())
        });
        // Nobody is left to tell that there is no runtime.
        drop(aborted);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let uploads = std::mem::take(&mut *self.sealed());
        self.abort(uploads);
    }
}

impl fmt::Debug for StoreTargets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreTargets")
    }
}

/// An object to write.
///
/// # Examples
/// ```
/// use polars_avro::{CredentialSources, Sink, StoreOptions, StoreTarget, StoreTargets};
///
/// let targets = StoreTargets::new(StoreOptions::default(), CredentialSources::new(), false, Box::new(|| Ok(())));
/// let target: StoreTarget = targets.target("gs://bucket/rows.avro")?;
/// assert_eq!(target.create().name(), target.name());
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone)]
pub struct StoreTarget {
    shared: Arc<Shared>,
    location: Location,
}

impl StoreTarget {
    /// The URL without what may be secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.location.shown
    }

    /// Begins to write. The object is visible when the sink is finished, and committed if objects appear together.
    #[must_use]
    pub fn create(&self) -> StoreSink {
        let Shared { stores, in_flight, .. } = &*self.shared;
        let to = Destination { stores: stores.clone(), location: self.location.clone(), in_flight: in_flight.clone() };
        StoreSink {
            shared: self.shared.clone(),
            name: self.name().to_owned(),
            upload: vec![Upload::new(to)],
            bytes: Vec::new(),
        }
    }
}

impl fmt::Debug for StoreTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreTarget({})", self.name())
    }
}

/// An object that is written. Until it is finished nothing is seen of it, and dropping it gives up what was sent.
///
/// # Examples
/// ```
/// use polars_avro::{CredentialSources, Sink, StoreOptions, StoreSink, StoreTargets};
///
/// let targets = StoreTargets::new(StoreOptions::default(), CredentialSources::new(), false, Box::new(|| Ok(())));
/// let mut sink: StoreSink = targets.target("s3://bucket/rows.avro")?.create();
/// // So few bytes wait for more; dropping the sink gives them up.
/// sink.write(b"Obj")?;
/// # Ok::<(), polars_avro::Error>(())
/// ```
pub struct StoreSink {
    shared: Arc<Shared>,
    name: String,
    /// Empty once it is finished or given up.
    upload: Vec<Upload>,
    /// Bytes that make no part yet.
    bytes: Vec<u8>,
}

impl StoreSink {
    fn step<T>(
        &mut self,
        step: impl AsyncFnOnce(&mut Upload, Vec<u8>) -> std::result::Result<T, Failure>,
        bytes: Vec<u8>,
    ) -> Result<T> {
        let Self { shared, name, upload, .. } = self;
        let Some(open) = upload.first_mut() else { return Err(Error::argument("the file is finished").in_file(name)) };
        let done = shared.wait(async { step(open, bytes).await.map_err(|failure| failure.raise(name)) });
        if done.is_err() {
            shared.abort(std::mem::take(upload));
        }
        done
    }
}

impl fmt::Debug for StoreSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreSink({})", self.name)
    }
}

impl Sink for StoreSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(bytes);
        while let Some(upload) = self.upload.first() {
            let size = self.shared.parts.size(upload.parts());
            if self.bytes.len() < size {
                break;
            }
            let rest = self.bytes.split_off(size);
            let part = std::mem::replace(&mut self.bytes, rest);
            self.step(async |upload, part| upload.send(part).await, part)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        let rest = std::mem::take(&mut self.bytes);
        self.step(async |upload, rest| upload.seal(rest).await, rest)?;
        if !self.shared.together {
            self.step(async |upload, _| upload.commit().await, Vec::new())?;
            self.upload.clear();
            return Ok(());
        }
        let held: usize = self.shared.sealed().iter().map(Upload::held).sum();
        if held + self.upload.first().map_or(0, Upload::held) > HELD_BYTES {
            self.step(async |upload, _| upload.unload().await, Vec::new())?;
        }
        self.shared.sealed().append(&mut self.upload);
        Ok(())
    }
}

impl Drop for StoreSink {
    fn drop(&mut self) {
        self.shared.abort(std::mem::take(&mut self.upload));
    }
}
