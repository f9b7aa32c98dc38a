//! Retries of one request: if there is another attempt, and when.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use super::error::Failure;
use super::http::{Status, name_in};
use super::location::Location;
use super::store::{Store, Stores};
use crate::{Error, ErrorKind};

/// A request that fails for longer than this is logged, once for each read or write.
const SILENCE: Duration = Duration::from_secs(1);

/// A first request without an answer for this long is logged, because the address may be that of no store.
const PATIENCE: Duration = Duration::from_secs(4);

/// Waits for the answer to a request.
pub(super) async fn answer<T>(stores: &Stores, location: &Location, request: impl Future<Output = T>) -> T {
    let mut request = pin!(request);
    if !stores.has_answered.load(Ordering::Relaxed) {
        if let Ok(answer) = tokio::time::timeout(PATIENCE, &mut request).await {
            stores.has_answered.store(true, Ordering::Relaxed);
            return answer;
        }
        if !stores.has_answered.swap(true, Ordering::Relaxed) {
            log::warn!("{}: no answer for {PATIENCE:?}; still waiting", location.shown);
        }
    }
    request.await
}

/// Sends a request until it succeeds or a retry is not allowed.
pub(super) async fn attempt<T, E, F>(
    stores: &Stores,
    location: &Location,
    send: impl Fn(Store) -> F,
) -> Result<T, Failure>
where
    E: Into<Failure>,
    F: Future<Output = Result<T, E>>,
{
    let attempts = async {
        let mut attempts = Attempts::default();
        loop {
            let failure = match stores.get(location).await {
                Ok(store) => match answer(stores, location, send(store)).await {
                    Ok(done) => return Ok(done),
                    Err(error) => hidden_status(error.into()),
                },
                Err(failure) => failure,
            };
            attempts.wait(stores, location, failure).await?;
        }
    };
    caught(attempts).await
}

/// Converts a panic into a failure: the stores panic at values that they do not check, and a reader would wait forever.
pub(super) async fn caught<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| Err(panicked()))
}

/// Returns the failure of a panic. Its message is not quoted, since it may contain a key.
#[cold]
fn panicked() -> Failure {
    Error::new(ErrorKind::Internal, "a request panicked; the message is on the program's standard error").into()
}

/// Converts an error in the body of a response with status 200 into a status of 500: S3 may answer the completion of an
/// upload with one.
pub(super) fn hidden_status(failure: Failure) -> Failure {
    match &failure {
        Failure::Other(text) if text.contains("<Error") => {
            Failure::Status(Status { code: 500, name: name_in(text), retry_after: None })
        }
        _ => failure,
    }
}

/// Counts the attempts of one request.
#[derive(Default)]
pub(super) struct Attempts {
    failed: u64,
    first_failure: Option<Instant>,
    renewed: bool,
}

impl Attempts {
    /// Waits until the request may be sent again.
    ///
    /// # Errors
    /// If it may not be sent again. The error is the one to raise.
    pub(super) async fn wait(&mut self, stores: &Stores, location: &Location, failure: Failure) -> Result<(), Failure> {
        if failure.is_denied() && !self.renewed && stores.renew_credentials(location.kind).await {
            self.renewed = true;
            return Ok(());
        }
        self.failed += 1;
        let retries = &stores.options.retries;
        let since = *self.first_failure.get_or_insert_with(Instant::now);
        if !failure.is_transient() || self.failed > retries.max {
            return Err(failure.into_error(self.failed));
        }
        let spread = f64::from(since.elapsed().subsec_nanos() % 1000) / 1000.0;
        let wait = retries.backoff(self.failed, spread).max(failure.retry_after().unwrap_or_default());
        if since.elapsed().saturating_add(wait) > retries.timeout {
            return Err(failure.into_error(self.failed));
        }
        if since.elapsed() + wait > SILENCE && !stores.has_warned.swap(true, Ordering::Relaxed) {
            log::warn!("{}; trying again for up to {:?}", failure.raise(&location.shown), retries.timeout);
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure_and_not_quoted() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let failed = runtime.block_on(caught::<()>(async { panic!("topsecret") })).unwrap_err();
        let error = failed.raise("s3://b/x");
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert!(error.to_string().starts_with("s3://b/x: a request panicked"), "{error}");
        assert!(!error.to_string().contains("topsecret"));
    }
}
