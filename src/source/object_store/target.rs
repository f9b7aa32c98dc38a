//! Objects to write: the public types of uploads.

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

/// The maximum bytes of small objects that wait for a commit in memory; others are sent earlier as parts.
const HELD_BYTES: usize = 64 << 20;

/// The number of objects that a commit completes at once.
const COMMITS: usize = 16;

/// The maximum time for aborting many objects; each one has a limit of its own.
const ABORTS_TIMEOUT: Duration = Duration::from_secs(30);

/// A factory of objects to write with one set of options. Clones share its state.
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
    /// The process that writes, since connections and threads do not survive a fork.
    process: u32,
    stores: Arc<Stores>,
    in_flight: Arc<InFlight>,
    parts: Parts,
    /// True if objects become visible together in a commit.
    together: bool,
    check: WaitCheck,
    sealed: Mutex<Vec<Upload>>,
}

impl StoreTargets {
    /// Creates targets that become visible one by one when each is finished, or all in a commit if `together`. `check` is
    /// called while a thread waits for the store; pass `Box::new(|| Ok(()))` if nothing ends the wait.
    #[must_use]
    pub fn new(options: StoreOptions, credentials: CredentialSources, together: bool, check: WaitCheck) -> Self {
        Self::of(Stores::for_writing(options, credentials), together, check)
    }

    /// Creates targets in a store of the caller; see [`StoreFile::from_store`](crate::StoreFile::from_store).
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

    /// Returns an object to write. Sends no request yet.
    ///
    /// # Errors
    /// If the URL names no object of a known scheme or is a web address, or if its store does not know an option.
    pub fn target(&self, url: &str) -> Result<StoreTarget> {
        let location = Location::parse(url)?;
        if location.kind == Kind::Http {
            let message = "cannot write over HTTP: web servers take files in no common way; write to a store or a path";
            return Err(Error::new(ErrorKind::Unsupported, message).in_file(&location.shown));
        }
        if self.0.stores.is_given() {
            let message = "a URL names no object of the caller's own store: pass its path to `target_at`";
            return Err(Error::argument(message).in_file(&location.shown));
        }
        self.0.stores.options.check([url])?;
        Ok(StoreTarget { shared: self.0.clone(), location })
    }

    /// Returns an object to write in the caller's own store. Sends no request yet.
    #[must_use]
    pub fn target_at(&self, path: Path) -> StoreTarget {
        StoreTarget { shared: self.0.clone(), location: Location::given(path) }
    }

    /// Makes all finished objects visible that wait for a commit.
    ///
    /// # Errors
    /// If one cannot be completed. The others are then aborted unless they are visible already.
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

    /// Aborts all finished objects that wait for a commit.
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

    /// Runs a future of the runtime while this thread waits.
    fn wait<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        if std::process::id() != self.process {
            return Err(Error::argument("a file in a store cannot be written by a process forked from its writer"));
        }
        wait_for(&self.check, work)
    }

    fn abort(&self, mut uploads: Vec<Upload>) {
        if std::process::id() != self.process {
            // They belong to the other process, which continues them.
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
            // After the timeout, most stores remove incomplete uploads by a lifecycle rule.
            drop(tokio::time::timeout(ABORTS_TIMEOUT, aborts).await);
            Ok(())
        });
        // An error means that there is no runtime. It is ignored: the uploads are given up in any case.
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

/// The target of a write: one object in a store.
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
    /// Returns the URL without secrets.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.location.shown
    }

    /// Starts an upload. The object becomes visible when the sink is finished, or in a commit if objects appear together.
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

/// A sink that writes an object. The object is invisible until it is finished; dropping the sink aborts the upload.
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
    /// The upload; empty after it is finished or aborted.
    upload: Vec<Upload>,
    /// Bytes that do not fill a part yet.
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
