//! The value of an option, and the numbers that it may stand for.

use std::time::Duration;

use crate::{Error, Result};

/// The value of one option.
///
/// ```
/// use polars_avro::{OptionValue, StoreOptions};
///
/// let region = ("aws_region".to_owned(), OptionValue::Text("eu-north-1".to_owned()));
/// let retries = ("max_retries".to_owned(), OptionValue::Integer(5));
/// StoreOptions::new([region, retries])?;
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum OptionValue {
    /// A number; the numeric options take nothing else.
    Integer(i64),
    /// A fractional number.
    Float(f64),
    /// Text; all options of the stores themselves.
    Text(String),
}

/// A duration in milliseconds, or an error that names the option.
pub(super) fn milliseconds(key: &str, value: &OptionValue) -> Result<Duration> {
    Ok(Duration::from_millis(whole(key, value)?))
}

/// A whole number that is not negative.
pub(super) fn whole(key: &str, value: &OptionValue) -> Result<u64> {
    match value {
        OptionValue::Integer(number) if *number >= 0 => Ok(*number as u64),
        OptionValue::Integer(number) => {
            Err(Error::argument(format!("invalid value for '{key}': {number} (expected 0 or more)")))
        }
        OptionValue::Float(number) => {
            Err(Error::argument(format!("invalid value for '{key}': {number} (expected int)")))
        }
        OptionValue::Text(text) => Err(Error::argument(format!("invalid value for '{key}': '{text}' (expected int)"))),
    }
}
