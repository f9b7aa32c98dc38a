//! Sends one ranged request, and retries it until its bytes have arrived or a retry is not allowed.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Weak};

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::{GetOptions, GetRange};
use polars_buffer::Buffer;

use super::answers::{Modified, Piece, Unidentified, Unsized};
use super::error::Failure;
use super::group::Group;
use super::http::{ForObject, Status};
use super::location::Location;
use super::plan::Identity;
use super::retry::{Attempts, answer, caught};
use super::store::Stores;
use crate::Error;

/// A request for a part of an object.
pub(super) struct Fetch {
    /// A weak reference, so that dropping the group ends its requests.
    pub(super) group: Weak<Group>,
    pub(super) stores: Arc<Stores>,
    pub(super) location: Location,
    pub(super) index: usize,
    pub(super) id: u64,
    pub(super) range: Range<u64>,
    /// The number of bytes that have arrived.
    pub(super) filled: u64,
    /// The identity of the object, after the first response.
    pub(super) identity: Option<Arc<Identity>>,
    /// True if the server sends only whole objects.
    pub(super) whole: bool,
}

/// The maximum size of an object that is held in memory because its server sends it only whole.
const WHOLE_BYTES: u64 = 1 << 30;

#[cold]
fn too_large(size: u64) -> Failure {
    let message = format!(
        "the server cannot send a part of an object, and this one has {size} bytes, more than the {WHOLE_BYTES} that \
         are held in memory: download it first"
    );
    Error::source(io::Error::new(io::ErrorKind::Unsupported, message)).into()
}

/// An error that says that the request is not needed any more.
#[derive(Debug)]
pub(super) struct Gone;

enum Stop {
    Failed(Failure),
    Cancelled,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<object_store::Error> for Stop {
    fn from(error: object_store::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Cancelled
    }
}

impl Fetch {
    /// Fetches the bytes, and reports the end of the request to the group.
    pub(super) async fn run(mut self) {
        let ended = caught(self.attempts()).await;
        if let Some(group) = self.group.upgrade() {
            group.finished(self.index, self.id, ended);
        }
    }

    async fn attempts(&mut self) -> Result<(), Failure> {
        let mut attempts = Attempts::default();
        loop {
            let failure = match self.attempt().await {
                Ok(()) | Err(Stop::Cancelled) => return Ok(()),
                Err(Stop::Failed(failure)) => failure,
            };
            match failure {
                Failure::NoRanges if !self.whole => self.whole = true,
                Failure::Piece => {}
                failure => attempts.wait(&self.stores, &self.location, failure).await?,
            }
        }
    }

    async fn attempt(&mut self) -> Result<(), Stop> {
        let store = self.stores.get(&self.location).await?.objects;
        let mut options = GetOptions::default();
        options.extensions.insert(ForObject);
        options.if_match = self.identity.as_ref().and_then(|identity| identity.condition());
        let start = self.range.start + self.filled;
        if !self.whole {
            options.range = Some(GetRange::Bounded(start..self.range.end));
        }
        let request = store.get_opts(&self.location.key, options);
        let response = match answer(&self.stores, &self.location, request).await.map_err(Failure::from) {
            Ok(response) => response,
            Err(Failure::Status(Status { code: 416, .. })) if self.identity.is_none() => return self.empty(),
            Err(Failure::Status(Status { code: 412 | 416, .. })) => return Err(Failure::Changed.into()),
            Err(failure) => return Err(failure.into()),
        };
        let mut identity = Identity {
            size: response.meta.size,
            etag: response.meta.e_tag.clone(),
            // Times of web servers are kept as text and are not parsed.
            modified: match response.extensions.get::<Modified>() {
                Some(Modified(text)) => Some(text.clone()),
                None => Some(response.meta.last_modified.timestamp_millis().to_string()),
            },
        };
        if response.extensions.get::<Unidentified>().is_some() {
            let is_all = self.whole || (start == 0 && self.range.end >= identity.size);
            if !is_all {
                // One response is always of one object. Several responses without an identity may be of different ones.
                return Err(Failure::NoRanges.into());
            }
            identity.modified = None;
        }
        if response.extensions.get::<Unsized>().is_some() {
            return self.receive_unsized(identity, response.into_stream(), start).await;
        }
        let piece = response.extensions.get::<Piece>().copied();
        self.identify(identity)?;
        let Some(piece) = piece else {
            return self.receive(response.into_stream(), if self.whole { start } else { 0 }).await;
        };
        let end = self.filled + piece.len;
        match self.receive(response.into_stream(), piece.skip).await {
            // The server has sent what it announced, and the next request continues there.
            Err(Stop::Failed(Failure::Cut)) if self.filled == end => Err(Failure::Piece.into()),
            received => received,
        }
    }

    /// Handles an object without bytes, of which no range can be sent.
    fn empty(&mut self) -> Result<(), Stop> {
        Ok(self.group()?.identified(self.index, self.id, &Arc::default(), false)?)
    }

    fn group(&self) -> Result<Arc<Group>, Gone> {
        self.group.upgrade().ok_or(Gone)
    }

    /// Checks that the object is still the same.
    fn identify(&mut self, identity: Identity) -> Result<(), Stop> {
        match &self.identity {
            Some(known) if known.is_of(&identity) => {}
            Some(_) => return Err(Failure::Changed.into()),
            None if self.whole && identity.size > WHOLE_BYTES => return Err(too_large(identity.size).into()),
            None => {
                let identity = Arc::new(identity);
                let end = if self.whole { identity.size } else { self.range.end.min(identity.size) };
                self.range.end = end.max(self.range.start);
                self.group()?.identified(self.index, self.id, &identity, self.whole)?;
                self.identity = Some(identity);
            }
        }
        Ok(())
    }

    /// Passes bytes to the group as they arrive; the first `skip` are dropped.
    async fn receive<B>(&mut self, mut frames: Frames<B>, mut skip: u64) -> Result<(), Stop>
    where
        B: AsRef<[u8]> + Send + 'static,
    {
        let wanted = self.range.end - self.range.start;
        while self.filled < wanted {
            let Some(frame) = frames.next().await else { return Err(Failure::Cut.into()) };
            let frame = Buffer::from_owner(frame.map_err(broken)?);
            let passed = skip.min(frame.len() as u64);
            skip -= passed;
            let left = usize::try_from(wanted - self.filled).unwrap_or(usize::MAX);
            let len = (frame.len() - passed as usize).min(left);
            let frame = frame.sliced(passed as usize..passed as usize + len);
            self.filled += frame.len() as u64;
            if !frame.is_empty() {
                self.group()?.append(self.index, self.id, frame)?;
            }
        }
        Ok(())
    }

    /// Collects a body of unknown size, then passes it to the group.
    async fn receive_unsized<B>(&mut self, identity: Identity, mut frames: Frames<B>, skip: u64) -> Result<(), Stop>
    where
        B: AsRef<[u8]> + Send + 'static,
    {
        let (mut held, mut size) = (Vec::new(), 0);
        while let Some(frame) = frames.next().await {
            let frame = frame.map_err(broken)?;
            size += frame.as_ref().len() as u64;
            if size > WHOLE_BYTES {
                return Err(too_large(size).into());
            }
            held.push(Ok(frame));
        }
        self.identify(Identity { size, ..identity })?;
        self.receive(futures_util::stream::iter(held).boxed(), skip).await
    }
}

type Frames<B> = BoxStream<'static, object_store::Result<B>>;

/// Returns the failure of a body that breaks off.
fn broken(error: object_store::Error) -> Failure {
    match Failure::from(error) {
        Failure::Other(text) => Failure::Transport(io::ErrorKind::UnexpectedEof, text),
        failure => failure,
    }
}
