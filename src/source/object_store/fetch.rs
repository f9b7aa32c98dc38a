//! One ranged request, sent again until it has brought its bytes or may not be sent again.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Weak};

use futures_util::StreamExt;
use object_store::{GetOptions, GetRange, GetResult};

use super::error::Failure;
use super::group::Group;
use super::http::{ForObject, Status};
use super::location::Location;
use super::plan::Identity;
use super::retry::{Attempts, caught};
use super::store::Stores;
use crate::Error;

/// A request for a part of an object.
pub(super) struct Fetch {
    /// A request must not keep its group alive: a dropped group ends its requests.
    pub(super) group: Weak<Group>,
    pub(super) stores: Arc<Stores>,
    pub(super) location: Location,
    pub(super) index: usize,
    pub(super) id: u64,
    pub(super) range: Range<u64>,
    /// Bytes that have come.
    pub(super) filled: u64,
    /// The object that is read, once a response has told.
    pub(super) identity: Option<Arc<Identity>>,
    /// The server sends whole objects only.
    pub(super) whole: bool,
}

/// An object that a server sends whole only is held in memory, up to this size.
const WHOLE_BYTES: u64 = 1 << 30;

#[cold]
fn too_large(size: u64) -> Failure {
    let message = format!(
        "the server cannot send a part of an object, and this one has {size} bytes, more than the {WHOLE_BYTES} that \
         are held in memory: download it first"
    );
    Error::source(io::Error::new(io::ErrorKind::Unsupported, message)).into()
}

/// The request is not wanted any more.
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
    /// Brings the bytes, and tells the group how that ended.
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
            if matches!(failure, Failure::NoRanges) && !self.whole {
                self.whole = true;
                continue;
            }
            attempts.wait(&self.stores, self.location.kind, failure).await?;
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
        let response = match store.get_opts(&self.location.key, options).await.map_err(Failure::from) {
            Ok(response) => response,
            Err(Failure::Status(Status { code: 416, .. })) if self.identity.is_none() => return self.empty(),
            Err(Failure::Status(Status { code: 412 | 416, .. })) => return Err(Failure::Changed.into()),
            Err(failure) => return Err(failure.into()),
        };
        self.identify(&response)?;
        self.receive(response, if self.whole { start } else { 0 }).await
    }

    /// A range of an object without bytes cannot be sent.
    fn empty(&mut self) -> Result<(), Stop> {
        let identity = Arc::new(Identity { size: 0, etag: None, modified: 0 });
        Ok(self.group()?.identified(self.index, self.id, &identity, false)?)
    }

    fn group(&self) -> Result<Arc<Group>, Gone> {
        self.group.upgrade().ok_or(Gone)
    }

    /// Checks that it is still the same object.
    fn identify(&mut self, response: &GetResult) -> Result<(), Stop> {
        let meta = &response.meta;
        let identity =
            Identity { size: meta.size, etag: meta.e_tag.clone(), modified: meta.last_modified.timestamp_millis() };
        match &self.identity {
            Some(known) if **known == identity => {}
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

    /// Hands bytes over as they come; the first `skip` are not wanted.
    async fn receive(&mut self, response: GetResult, mut skip: u64) -> Result<(), Stop> {
        let wanted = self.range.end - self.range.start;
        let mut frames = response.into_stream();
        while self.filled < wanted {
            let Some(frame) = frames.next().await else { return Err(Failure::Cut.into()) };
            let frame = frame.map_err(|error| match Failure::from(error) {
                Failure::Other(text) => Failure::Transport(io::ErrorKind::UnexpectedEof, text),
                failure => failure,
            })?;
            let passed = skip.min(frame.len() as u64);
            skip -= passed;
            let left = usize::try_from(wanted - self.filled).unwrap_or(usize::MAX);
            let frame = frame.slice(passed as usize..);
            let frame = frame.slice(..frame.len().min(left));
            self.filled += frame.len() as u64;
            if !frame.is_empty() {
                self.group()?.append(self.index, self.id, frame)?;
            }
        }
        Ok(())
    }
}
