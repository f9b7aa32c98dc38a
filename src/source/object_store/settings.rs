//! Limits of requests: their number, their size, and their retries.

use std::time::Duration;

use super::option_value::{OptionValue, milliseconds, whole};
use crate::{Error, Result};

/// The retries of a failed request: their number and the waits between them.
#[derive(Clone, Debug)]
pub(super) struct Retries {
    pub(super) max: u64,
    /// The maximum time between the first failure and the start of an attempt.
    pub(super) timeout: Duration,
    pub(super) init_backoff: Duration,
    pub(super) max_backoff: Duration,
    pub(super) base: f64,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            max: 8,
            timeout: Duration::from_secs(30),
            init_backoff: Duration::from_millis(250),
            max_backoff: Duration::from_secs(5),
            base: 2.0,
        }
    }
}

impl Retries {
    /// Returns Polars' defaults, as its environment variables change them.
    pub(super) fn from_environment() -> Self {
        let mut retries = Self::default();
        for (variable, key) in [
            ("POLARS_CLOUD_MAX_RETRIES", "max_retries"),
            ("POLARS_CLOUD_RETRY_TIMEOUT_MS", "retry_timeout_ms"),
            ("POLARS_CLOUD_RETRY_INIT_BACKOFF_MS", "retry_init_backoff_ms"),
            ("POLARS_CLOUD_RETRY_MAX_BACKOFF_MS", "retry_max_backoff_ms"),
            ("POLARS_CLOUD_RETRY_BASE_MULTIPLIER", "retry_base_multiplier"),
        ] {
            let Ok(text) = std::env::var(variable) else { continue };
            let value = text.parse().map(OptionValue::Integer).or_else(|_| text.parse().map(OptionValue::Float));
            if let Ok(value) = value {
                // Invalid variables are ignored, as in Polars.
                let _ = retries.set(key, &value);
            }
        }
        retries
    }

    /// Sets an option if it is one of these; returns false if not.
    pub(super) fn set(&mut self, key: &str, value: &OptionValue) -> Result<bool> {
        match key {
            "max_retries" => self.max = whole(key, value)?,
            "retry_timeout_ms" => self.timeout = milliseconds(key, value)?,
            "retry_init_backoff_ms" => self.init_backoff = milliseconds(key, value)?,
            "retry_max_backoff_ms" => self.max_backoff = milliseconds(key, value)?,
            "retry_base_multiplier" => {
                self.base = match value {
                    OptionValue::Float(number) => *number,
                    OptionValue::Integer(number) => *number as f64,
                    OptionValue::Text(text) => {
                        return Err(Error::argument(format!("invalid value for '{key}': '{text}' (expected float)")));
                    }
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Returns the wait before attempt `retry`, counted from 1; `share` in 0..1 spreads clients that failed together.
    pub(super) fn backoff(&self, retry: u64, share: f64) -> Duration {
        let factor = self.base.max(1.0).powi(i32::try_from(retry - 1).unwrap_or(i32::MAX)).min(1e9);
        let grown = Duration::try_from_secs_f64(self.init_backoff.as_secs_f64() * factor);
        let longest = grown.unwrap_or(self.max_backoff).min(self.max_backoff);
        longest.mul_f64(0.5 + 0.5 * share)
    }
}

/// The limits of prefetching.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead {
    /// The number of bytes of one request.
    pub(super) chunk: u64,
    /// The maximum number of requests in flight.
    pub(super) requests: usize,
    /// The maximum number of bytes held or in flight for all files. Bytes that a read waits for are not limited by it.
    pub(super) bytes: u64,
}

impl Ahead {
    /// The number of bytes of a file's first request: the header, and enough rows for a preview.
    pub(super) const OPEN: u64 = 256 << 10;

    /// The number of bytes of the first request of a file that is read whole.
    pub(super) const OPEN_WHOLE: u64 = 1 << 20;

    /// The minimum number of bytes of a request.
    pub(super) const LEAST: u64 = 128 << 10;

    /// The gap between two reads from which it is skipped instead of read: at 50 ms and 100 MB/s both take about as long.
    pub(super) const JUMP: u64 = 4 << 20;

    /// Returns the defaults, as Polars' environment variables change them.
    pub(super) fn from_environment(chunk: Option<u64>) -> Self {
        // Bytes are limited more tightly than requests: a small object costs a round trip, whatever its size.
        let requests = number("POLARS_CONCURRENCY_BUDGET").map_or(64, |n| n as usize);
        let chunk = chunk.or_else(|| number("POLARS_DOWNLOAD_CHUNK_SIZE_STREAMING")).unwrap_or(2 << 20);
        let chunk = chunk.max(Self::LEAST);
        Self { chunk, requests, bytes: (32 << 20).max(2 * chunk) }
    }
}

/// The sizes of the parts of an upload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    /// The number of bytes of a part. Smaller objects are sent whole.
    pub(super) bytes: usize,
    /// The number of parts of this size that are in flight at once, for all objects.
    pub(super) at_once: usize,
}

impl Parts {
    /// The minimum that S3 and Google accept for a part before the last.
    const LEAST: usize = 5 << 20;

    /// The number of parts after which the part size grows; stores allow 10,000 parts of an object.
    const OF_ONE_SIZE: usize = 1000;

    /// Returns the defaults, as Polars' environment variables change them; `many` is true if many objects are open at once.
    pub(super) fn from_environment(many: bool) -> Self {
        let (size, concurrency) = if many {
            ("POLARS_PARTITIONED_UPLOAD_CHUNK_SIZE", "POLARS_PARTITIONED_UPLOAD_CONCURRENCY")
        } else {
            ("POLARS_UPLOAD_CHUNK_SIZE", "POLARS_UPLOAD_CONCURRENCY")
        };
        let default = if many { 6 << 20 } else { 8 << 20 };
        let bytes = number(size).map_or(default, |n| n as usize).clamp(Self::LEAST, 1 << 30);
        Self { bytes, at_once: number(concurrency).map_or(8, |n| n as usize) }
    }

    /// Returns the number of bytes of one part. Later parts are larger, so that the largest objects of all stores fit.
    pub(super) fn size(&self, index: usize) -> usize {
        self.bytes << (index / Self::OF_ONE_SIZE).min(9)
    }
}

/// Reads a positive number from the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok().filter(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_wait_is_too_long_to_count() {
        let longest = Duration::from_millis(1);
        let retries = Retries {
            init_backoff: Duration::from_millis(i64::MAX as u64),
            max_backoff: longest,
            base: 1e9,
            ..Retries::default()
        };
        assert!((1..100).all(|retry| retries.backoff(retry, 0.5) <= longest));
        let growing = Retries { max_backoff: Duration::from_secs(u64::MAX), base: f64::INFINITY, ..Retries::default() };
        assert!(growing.backoff(50, 1.0) > Duration::from_secs(1));
    }

    #[test]
    fn ten_thousand_parts_hold_the_largest_object() {
        let parts = Parts { bytes: 8 << 20, at_once: 8 };
        assert_eq!((parts.size(0), parts.size(999), parts.size(1000)), (8 << 20, 8 << 20, 16 << 20));
        assert!((0..10_000).map(|index| parts.size(index)).sum::<usize>() > 5 << 40);
        assert!(parts.size(9_999) < 5 << 30);
    }
}
