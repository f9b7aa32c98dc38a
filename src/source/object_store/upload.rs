//! Uploads one object: whole, or in parts of which several are sent at once.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, Shared, select};
use object_store::multipart::{MultipartStore, PartId};
use object_store::{MultipartId, PutOptions, PutPayload};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};

use super::error::Failure;
use super::http::ForObject;
use super::location::Location;
use super::objects::size_in;
use super::retry::{attempt, hidden_status};
use super::store::Stores;

/// The maximum time that a writer waits for the store when it aborts an upload.
const ABORT_TIMEOUT: Duration = Duration::from_secs(5);

/// The unit in which bytes in flight are counted.
const UNIT: usize = 1 << 10;

/// The destination of an object.
#[derive(Clone)]
pub(super) struct Destination {
    pub(super) stores: Arc<Stores>,
    pub(super) location: Location,
    /// The limit on bytes in flight.
    pub(super) in_flight: Arc<InFlight>,
}

/// A limit on the bytes in flight of all writers to some stores.
pub(super) struct InFlight {
    units: Arc<Semaphore>,
    all: u32,
}

impl InFlight {
    pub(super) fn new(bytes: usize) -> Self {
        let all = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX);
        Self { units: Arc::new(Semaphore::new(all as usize)), all }
    }

    /// Waits for room. A payload that is larger than the limit takes all of it.
    async fn room(&self, payload: &PutPayload) -> Result<OwnedSemaphorePermit, Failure> {
        let units = u32::try_from(payload.content_length().div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.all);
        let room = self.units.clone().acquire_many_owned(units).await;
        room.map_err(|error| Failure::Other(error.to_string()))
    }
}

impl Destination {
    /// Sends a request of a multipart upload.
    async fn attempt_part<T, F>(&self, send: impl Fn(Arc<dyn MultipartStore>) -> F) -> Result<T, Failure>
    where
        F: Future<Output = object_store::Result<T>>,
    {
        let send = &send;
        attempt(&self.stores, &self.location, |store| async move {
            match store.parts {
                Some(parts) => send(parts).await,
                None => Err(no_parts()),
            }
        })
        .await
    }

    async fn put(&self, payload: PutPayload) -> Result<(), Failure> {
        let _room = self.in_flight.room(&payload).await?;
        let key = &self.location.key;
        attempt(&self.stores, &self.location, |store| {
            let mut options = PutOptions::default();
            options.extensions.insert(ForObject);
            let payload = payload.clone();
            async move { store.objects.put_opts(key, payload, options).await }
        })
        .await?;
        Ok(())
    }

    async fn begin(&self) -> Result<MultipartId, Failure> {
        let key = &self.location.key;
        self.attempt_part(|store| async move { store.create_multipart(key).await }).await
    }

    async fn put_part(&self, id: &MultipartId, index: usize, payload: PutPayload) -> Result<PartId, Failure> {
        let key = &self.location.key;
        self.attempt_part(|store| {
            let payload = payload.clone();
            async move { store.put_part(key, id, index, payload).await }
        })
        .await
    }

    /// Completes an object of `bytes` bytes from its parts. If a response is lost, the next attempt finds no upload: the
    /// size of the object then shows if it is complete.
    async fn complete(&self, id: &MultipartId, parts: &[PartId], bytes: u64) -> Result<(), Failure> {
        let key = &self.location.key;
        let unanswered = AtomicBool::new(false);
        let unanswered = &unanswered;
        let completed = attempt(&self.stores, &self.location, |store| async move {
            let Some(upload) = &store.parts else { return Err(no_parts().into()) };
            let Err(error) = upload.complete_multipart(key, id, parts.to_vec()).await else { return Ok(()) };
            let failure = hidden_status(error.into());
            if failure.may_have_succeeded() {
                unanswered.store(true, Ordering::Relaxed);
            } else if unanswered.load(Ordering::Relaxed) && failure.is_unknown_upload() {
                match size_in(&*store.objects, key).await.map_err(Failure::from) {
                    Ok(size) if size == bytes => return Ok(()),
                    Err(asking) if asking.is_transient() => return Err(asking),
                    _ => {}
                }
            }
            Err(failure)
        });
        match completed.await {
            Err(failure) if unanswered.load(Ordering::Relaxed) => {
                Err(failure.with_hint("the object may be there nevertheless"))
            }
            completed => completed,
        }
    }

    async fn abort(&self, id: &MultipartId) -> Result<(), Failure> {
        let key = &self.location.key;
        self.attempt_part(|store| async move { store.abort_multipart(key, id).await }).await
    }
}

#[cold]
fn no_parts() -> object_store::Error {
    object_store::Error::NotImplemented {
        operation: "multipart uploads".to_owned(),
        implementer: "a web server".to_owned(),
    }
}

type Id = Shared<BoxFuture<'static, Result<MultipartId, Failure>>>;

/// An object that is being uploaded.
pub(super) struct Upload {
    to: Destination,
    /// The multipart upload, if a part was sent.
    id: Option<Id>,
    tasks: JoinSet<(usize, Result<PartId, Failure>)>,
    sent: Vec<Option<PartId>>,
    /// The number of bytes of all parts.
    bytes: u64,
    /// An object that is sent whole.
    whole: Option<PutPayload>,
}

impl Upload {
    pub(super) fn new(to: Destination) -> Self {
        Self { to, id: None, tasks: JoinSet::new(), sent: Vec::new(), bytes: 0, whole: None }
    }

    /// Returns the URL without secrets.
    pub(super) fn name(&self) -> &str {
        &self.to.location.shown
    }

    /// Returns the number of parts.
    pub(super) fn parts(&self) -> usize {
        self.sent.len()
    }

    /// Returns the number of bytes that are held until the object is completed.
    pub(super) fn held(&self) -> usize {
        self.whole.as_ref().map_or(0, PutPayload::content_length)
    }

    /// Sends the next part, once the limit on bytes in flight allows it.
    pub(super) async fn send(&mut self, part: Vec<u8>) -> Result<(), Failure> {
        let payload = PutPayload::from(part);
        let room = self.room(&payload).await?;
        let id = self.id.get_or_insert_with(|| shared_id(self.to.clone())).clone();
        let (to, index) = (self.to.clone(), self.sent.len());
        self.sent.push(None);
        self.bytes += payload.content_length() as u64;
        self.tasks.spawn(async move {
            let put = match id.await {
                Ok(id) => to.put_part(&id, index, payload).await,
                Err(failure) => Err(failure),
            };
            drop(room);
            (index, put)
        });
        Ok(())
    }

    /// Waits for room in flight; a part that has failed ends the wait.
    async fn room(&mut self, payload: &PutPayload) -> Result<OwnedSemaphorePermit, Failure> {
        while let Some(ended) = self.tasks.try_join_next() {
            self.note(ended)?;
        }
        let in_flight = self.to.in_flight.clone();
        let mut room = Box::pin(in_flight.room(payload));
        while !self.tasks.is_empty() {
            let ended = match select(room, Box::pin(self.tasks.join_next())).await {
                Either::Left((permit, _)) => return permit,
                Either::Right((ended, waiting)) => {
                    room = waiting;
                    ended
                }
            };
            if let Some(ended) = ended {
                self.note(ended)?;
            }
        }
        room.await
    }

    fn note(&mut self, ended: Result<(usize, Result<PartId, Failure>), JoinError>) -> Result<(), Failure> {
        let (index, put) = ended.map_err(|error| Failure::Other(error.to_string()))?;
        self.sent[index] = Some(put?);
        Ok(())
    }

    /// Takes the last bytes, and waits until all parts are sent. An object without parts is kept to be sent whole.
    pub(super) async fn seal(&mut self, rest: Vec<u8>) -> Result<(), Failure> {
        if self.sent.is_empty() {
            self.whole = Some(PutPayload::from(rest));
            return Ok(());
        }
        if !rest.is_empty() {
            self.send(rest).await?;
        }
        while let Some(ended) = self.tasks.join_next().await {
            self.note(ended)?;
        }
        Ok(())
    }

    /// Sends a sealed object that is kept whole as a part, to free its memory.
    pub(super) async fn unload(&mut self) -> Result<(), Failure> {
        let Some(whole) = self.whole.take() else { return Ok(()) };
        let bytes = whole.iter().flat_map(|bytes| bytes.iter().copied()).collect();
        self.send(bytes).await?;
        self.seal(Vec::new()).await
    }

    /// Makes a sealed object visible.
    pub(super) async fn commit(&mut self) -> Result<(), Failure> {
        if let Some(whole) = self.whole.take() {
            return self.to.put(whole).await;
        }
        let Some(id) = &self.id else { return Ok(()) };
        let parts: Option<Vec<PartId>> = self.sent.iter().cloned().collect();
        let parts = parts.ok_or_else(|| Failure::Other("a part is missing".to_owned()))?;
        self.to.complete(&id.clone().await?, &parts, self.bytes).await?;
        self.id = None;
        Ok(())
    }

    /// Cancels the requests in flight and aborts the upload.
    pub(super) async fn abort(&mut self) {
        self.whole = None;
        self.tasks.shutdown().await;
        if let Some(id) = self.id.take() {
            let told = async {
                if let Ok(id) = id.await {
                    // The error is ignored: the upload is given up in any case.
                    drop(self.to.abort(&id).await);
                }
            };
            drop(tokio::time::timeout(ABORT_TIMEOUT, told).await);
        }
    }
}

/// Begins a multipart upload in a task of its own, so that its id becomes known even if the first part is cancelled.
fn shared_id(to: Destination) -> Id {
    let begun = tokio::spawn(async move { to.begin().await });
    begun.map(|begun| begun.unwrap_or_else(|error| Err(Failure::Other(error.to_string())))).boxed().shared()
}
