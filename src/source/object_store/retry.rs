//! Attempts of one request: whether there is another, and when.

use std::time::Instant;

use super::error::Failure;
use super::location::Kind;
use super::store::Stores;

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
