//! Values of options, and their conversion: to a number, an address, a text that is sent in a header.

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

/// Converts a value in milliseconds into a duration, or returns an error that names the option.
pub(super) fn milliseconds(key: &str, value: &OptionValue) -> Result<Duration> {
    Ok(Duration::from_millis(whole(key, value)?))
}

/// Converts a value into an integer that is not negative.
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

/// A text for a store, and the storage option or environment variable that set it.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) value: String,
}

impl Setting {
    /// Returns the value if the stores can use it. They panic at some invalid values, so these are refused here.
    ///
    /// # Errors
    /// If it should be an address and is not, or if it cannot be sent in a header. The message does not contain the value.
    pub(super) fn checked(self) -> Result<String> {
        let Self { name, value } = &self;
        if is_address(name) && !is_http(value) {
            let message = format!("{name:?} must be a URL such as https://host or http://host:9000");
            return Err(Error::argument(message));
        }
        if name.ends_with("timeout") && !is_duration(value) {
            let message = format!("{name:?} must be a time with its unit, such as \"30s\", got {value:?}");
            return Err(Error::argument(message));
        }
        if !has_lines(name) {
            check_header(name, value)?;
        }
        Ok(self.value)
    }
}

fn is_address(name: &str) -> bool {
    (name.ends_with("endpoint") && !name.contains("use_"))
        || name.contains("endpoint_url")
        || name.ends_with("base_url")
}

/// Returns true if a text may be a number and its unit. The stores parse it.
fn is_duration(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_digit()) && value.ends_with(|c: char| c.is_ascii_alphabetic())
}

fn is_http(value: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(value) else { return false };
    // The stores also parse the address as an `http::Uri`: the two parsers do not accept the same texts.
    let text = value.parse::<http::Uri>();
    matches!(url.scheme(), "http" | "https") && url.has_host() && text.is_ok_and(|uri| uri.host().is_some())
}

/// Returns true if a value may have several lines: JSON keys and certificates, which are not sent in headers.
fn has_lines(name: &str) -> bool {
    name.contains("service_account") || name.contains("certificate")
}

/// Checks that a text can be sent in a header.
///
/// # Errors
/// If it has a control character. A key read from a file often ends in a line break.
pub(super) fn check_header(name: &str, value: &str) -> Result<()> {
    if value.chars().any(char::is_control) {
        let message = format!("{name:?} must not have line breaks or other control characters, and has some");
        return Err(Error::argument(message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(name: &str, value: &str) -> Result<String> {
        Setting { name: name.to_owned(), value: value.to_owned() }.checked()
    }

    #[test]
    fn addresses_are_checked_and_not_shown() {
        for value in
            ["localhost:9000", "http://", "not a url", "http://h:99999", "", "ftp://h", "/path", "http://sec ret"]
        {
            for name in
                ["aws_endpoint_url", "endpoint", "aws_endpoint_url_s3", "azure_storage_endpoint", "google_base_url"]
            {
                let message = checked(name, value).unwrap_err().to_string();
                assert!(message.contains(name) && message.contains("must be a URL"), "{message}");
                assert!(!message.contains("sec"), "{message}");
            }
        }
        for value in ["http://localhost:9000", "https://s3.amazonaws.com", "http://[::1]:9000/path/"] {
            assert_eq!(checked("aws_endpoint", value).unwrap(), value);
        }
        assert!(checked("azure_use_fabric_endpoint", "true").is_ok());
    }

    #[test]
    fn times_need_a_unit() {
        for value in ["5", "x", ""] {
            let message = checked("connect_timeout", value).unwrap_err().to_string();
            assert!(message.contains("such as \"30s\""), "{message}");
        }
        assert!(checked("timeout", "1m 30s").is_ok());
    }

    #[test]
    fn line_breaks_are_found_before_they_are_sent() {
        let message = checked("aws_session_token", "secret\n").unwrap_err().to_string();
        assert!(message.contains("\"aws_session_token\"") && !message.contains("secret"), "{message}");
        assert!(checked("google_service_account_key", "{\n}").is_ok());
    }
}
