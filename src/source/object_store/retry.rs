//! Attempts of one request: whether there is another, and when.

use std::future::Future;
use std::time::Instant;

use super::error::Failure;
use super::http::{Status, name_in};
use super::location::{Kind, Location};
use super::store::{Store, Stores};

/// Sends a request until it has succeeded or may not be sent again.
pub(super) async fn attempt<T, F>(stores: &Stores, location: &Location, send: impl Fn(Store) -> F) -> Result<T, Failure>
where
    F: Future<Output = object_store::Result<T>>,
{
    let mut attempts = Attempts::default();
    loop {
        let failure = match stores.get(location).await {
            Ok(store) => match send(store).await {
                Ok(done) => return Ok(done),
                Err(error) => hidden_status(error.into()),
            },
            Err(failure) => failure,
        };
        attempts.wait(stores, location.kind, failure).await?;
    }
}

/// S3 may answer a request to complete an upload with 200 and an error in the body, which stands for a 500.
fn hidden_status(failure: Failure) -> Failure {
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
    /// The error to raise if it may not.
    pub(super) async fn wait(&mut self, stores: &Stores, kind: Kind, failure: Failure) -> Result<(), Failure> {
        if failure.is_denied() && !self.renewed && stores.renew_credentials(kind).await {
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
        if since.elapsed() + wait > retries.timeout {
            return Err(failure.into_error(self.failed));
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }
}
