//! Failures of requests: the decision to retry, and the error for the caller.

use std::error::Error as StdError;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object_store::client::{HttpError, HttpErrorKind};

use super::http::Status;
use super::location::shown;
use crate::{Error, ErrorKind};

/// One failed attempt.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    Status(Status),
    /// The connection failed or broke.
    Transport(io::ErrorKind, String),
    /// The body ended early.
    Cut,
    /// The object has changed since the first request.
    Changed,
    /// The server ignores ranges and sends the whole object.
    NoRanges,
    /// The server has sent only the first part of the requested range, and has announced that.
    Piece,
    /// An error of this crate, for example of a credential provider. The first reader gets it, the others get copies.
    Own(Arc<Mutex<Option<Error>>>),
    /// Anything else.
    Other(String),
}

/// A wrapper that carries an error of this crate through the stores.
#[derive(Debug)]
pub(super) struct Carried(pub(super) Mutex<Option<Error>>);

impl std::fmt::Display for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an error of the caller's")
    }
}

impl StdError for Carried {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Own(Arc::new(Mutex::new(Some(error))))
    }
}

impl From<object_store::Error> for Failure {
    fn from(error: object_store::Error) -> Self {
        if let object_store::Error::NotSupported { .. } = error {
            return Self::NoRanges;
        }
        let mut innermost: &(dyn StdError + 'static) = &error;
        let (mut transport, mut kind) = (None, io::ErrorKind::Other);
        loop {
            if let Some(status) = innermost.downcast_ref::<Status>() {
                return Self::Status(status.clone());
            }
            if let Some(carried) = innermost.downcast_ref::<Carried>() {
                let taken = carried.0.lock().unwrap_or_else(PoisonError::into_inner).take();
                return Self::Own(Arc::new(Mutex::new(taken)));
            }
            if let Some(http) = innermost.downcast_ref::<HttpError>() {
                transport = Some(http.kind());
            }
            if let Some(io) = innermost.downcast_ref::<io::Error>() {
                kind = io.kind();
            }
            match innermost.source() {
                Some(source) => innermost = source,
                None => break,
            }
        }
        let text = without_secrets(&innermost.to_string());
        // The stores report a response without a range as a private error type, so only its text identifies it.
        if text == "Received non-partial response when range requested" {
            return Self::NoRanges;
        }
        if let object_store::Error::NotFound { .. } = error {
            return Error::source(io::Error::new(io::ErrorKind::NotFound, text)).into();
        }
        match transport {
            Some(HttpErrorKind::Timeout) => Self::Transport(io::ErrorKind::TimedOut, text),
            Some(_) => Self::Transport(kind, text),
            None => Self::Other(text),
        }
    }
}

impl Failure {
    /// Returns true if another attempt may succeed.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Status(status) => status.is_transient(),
            Self::Transport(..) | Self::Cut => true,
            Self::Changed | Self::NoRanges | Self::Piece | Self::Own(_) | Self::Other(_) => false,
        }
    }

    /// Returns true if the store may have carried out the request.
    pub(super) fn may_have_succeeded(&self) -> bool {
        matches!(self, Self::Transport(..) | Self::Cut | Self::Status(Status { code: 408 | 500..=599, .. }))
    }

    /// Returns true if the store does not know an upload, as after its end. Azure reports missing blocks instead.
    pub(super) fn is_unknown_upload(&self) -> bool {
        let Self::Status(Status { code, name, .. }) = self else { return false };
        *code == 404 || (*code == 400 && name.as_deref() == Some("InvalidBlockList"))
    }

    /// Returns true if other credentials may help.
    pub(super) fn is_denied(&self) -> bool {
        matches!(self, Self::Status(status) if status.is_denied() || status.is_unexplained())
    }

    /// Returns the time that the server asks to wait before a retry.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        if let Self::Status(status) = self { status.retry_after } else { None }
    }

    /// Converts the failure into the error to raise; `attempts` is the number of times the request was sent.
    pub(super) fn into_error(self, attempts: u64) -> Self {
        let (kind, mut text) = match self {
            Self::Status(status) => {
                let kind = match status.code {
                    404 | 410 => io::ErrorKind::NotFound,
                    _ if status.is_denied() => io::ErrorKind::PermissionDenied,
                    _ => io::ErrorKind::Other,
                };
                let hint = if (300..400).contains(&status.code) { ": the region or the endpoint is wrong" } else { "" };
                (kind, format!("{status}{hint}"))
            }
            Self::Transport(kind, text) => (kind, text),
            Self::Cut | Self::Piece => {
                (io::ErrorKind::UnexpectedEof, "the server closed the connection early".to_owned())
            }
            Self::Changed => (io::ErrorKind::Other, "the object changed while it was read".to_owned()),
            Self::NoRanges => (io::ErrorKind::Unsupported, "the server cannot send a part of an object".to_owned()),
            Self::Other(text) => (io::ErrorKind::Other, text),
            Self::Own(_) => return self,
        };
        if attempts > 1 {
            text = format!("{text} ({attempts} attempts)");
        }
        Error::source(io::Error::new(kind, text)).into()
    }

    /// Returns the error for one reader. Several may wait for one request.
    pub(super) fn raise(&self, name: &str) -> Error {
        let Self::Own(error) = self else { return self.clone().into_error(1).raise(name) };
        let mut kept = error.lock().unwrap_or_else(PoisonError::into_inner);
        let copied = kept.as_ref().map(copy);
        let error = std::mem::replace(&mut *kept, copied);
        error.unwrap_or_else(|| Error::new(ErrorKind::Source, "the request failed")).in_file(name)
    }

    /// Adds a hint to the error to raise.
    pub(super) fn with_hint(self, hint: &str) -> Self {
        let Self::Own(error) = self.into_error(1) else { return Self::Other(hint.to_owned()) };
        let error = error.lock().unwrap_or_else(PoisonError::into_inner).take();
        error.unwrap_or_else(|| Error::new(ErrorKind::Source, "the request failed")).with_hint(hint).into()
    }
}

/// Copies an error without its cause, which cannot be cloned.
fn copy(error: &Error) -> Error {
    let copied = Error::new(error.kind(), error.message());
    match error.io() {
        Some(io) => copied.with_cause(io::Error::new(io.kind(), io.to_string())),
        None => copied,
    }
}

/// Removes possible secrets from all URLs in a text.
fn without_secrets(text: &str) -> String {
    text.split(' ').map(shown).collect::<Vec<_>>().join(" ")
}
