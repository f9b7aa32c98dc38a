//! `storage_options`: the store's own settings, by the names that Polars knows.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use object_store::ClientConfigKey;
use object_store::aws::AmazonS3ConfigKey;
use object_store::azure::AzureConfigKey;
use object_store::gcp::GoogleConfigKey;

use super::location::Kind;
use super::option_value::OptionValue;
use super::profile;
use super::settings::Retries;
use crate::{Error, Result};

/// Checked options of a store, for any scheme.
///
/// ```
/// use polars_avro::{OptionValue, StoreOptions};
///
/// let options = StoreOptions::new([("aws_region".to_owned(), OptionValue::Text("eu-north-1".to_owned()))])?;
/// options.check(["s3://bucket/a.avro"])?;
/// assert!(StoreOptions::new([("no_such_option".to_owned(), OptionValue::Integer(1))]).is_err());
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct StoreOptions {
    pub(super) texts: BTreeMap<String, String>,
    pub(super) retries: Retries,
    /// Headers of all requests to web servers.
    pub(super) headers: HeaderMap,
}

/// The beginning of the names of options that are headers, such as `header.authorization`.
const HEADER: &str = "header.";

/// Options of Polars without an effect here: they control its own reading, writing and caching.
const ACCEPTED: [&str; 7] = [
    "file_cache_ttl",
    "rate_read_init",
    "rate_read_floor",
    "rate_read_ceiling",
    "rate_write_init",
    "rate_write_floor",
    "rate_write_ceiling",
];

const KINDS: [Kind; 4] = [Kind::Aws, Kind::Gcp, Kind::Azure, Kind::Http];

/// The number of names at the start of the list below that are options of every store.
const OF_ALL: usize = 6;

/// The names that errors suggest: those in common use.
const KNOWN: [&str; 65] = [
    "max_retries",
    "retry_timeout_ms",
    "retry_init_backoff_ms",
    "retry_max_backoff_ms",
    "retry_base_multiplier",
    "file_cache_ttl",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_region",
    "aws_profile",
    "aws_default_region",
    "aws_endpoint",
    "aws_endpoint_url",
    "aws_bucket",
    "aws_virtual_hosted_style_request",
    "aws_unsigned_payload",
    "aws_skip_signature",
    "aws_allow_http",
    "aws_imdsv1_fallback",
    "aws_metadata_endpoint",
    "aws_s3_express",
    "aws_request_payer",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "token",
    "region",
    "endpoint_url",
    "endpoint",
    "virtual_hosted_style_request",
    "skip_signature",
    "request_payer",
    "google_service_account",
    "google_service_account_path",
    "google_service_account_key",
    "google_application_credentials",
    "google_bearer_token",
    "google_base_url",
    "google_bucket",
    "google_skip_signature",
    "service_account",
    "bearer_token",
    "account_name",
    "account_key",
    "azure_storage_account_name",
    "azure_storage_account_key",
    "azure_storage_sas_token",
    "azure_storage_endpoint",
    "azure_storage_use_emulator",
    "azure_storage_client_id",
    "azure_storage_client_secret",
    "azure_storage_tenant_id",
    "sas_token",
    "tenant_id",
    "client_id",
    "client_secret",
    "use_emulator",
    "allow_http",
    "allow_invalid_certificates",
    "connect_timeout",
    "timeout",
    "read_timeout",
    "proxy_url",
    "user_agent",
];

/// Options of fsspec and what they are called here.
const OF_FSSPEC: [(&str, &str); 4] = [
    ("key", "aws_access_key_id"),
    ("secret", "aws_secret_access_key"),
    ("anon", "aws_skip_signature"),
    ("anon", "google_skip_signature"),
];

impl StoreOptions {
    /// Checks options that any store knows. [`check`](Self::check) compares them with the stores of given URLs.
    ///
    /// # Errors
    /// If no store has an option of that name, or if a value has the wrong type. The message does not contain texts of a
    /// store's own options.
    pub fn new(options: impl IntoIterator<Item = (String, OptionValue)>) -> Result<Self> {
        Self::suggesting(options, &KINDS)
    }

    /// Checks options for the stores of these URLs, patterns or directories.
    ///
    /// # Errors
    /// As [`new`](Self::new) and [`check`](Self::check). Errors suggest only options of these stores.
    pub fn for_urls<'a>(
        options: impl IntoIterator<Item = (String, OptionValue)>,
        urls: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Result<Self> {
        let kinds: Vec<Kind> = urls.clone().into_iter().map(Kind::of).collect::<Result<_>>()?;
        let checked = Self::suggesting(options, if kinds.is_empty() { &KINDS } else { &kinds })?;
        checked.check(urls)?;
        Ok(checked)
    }

    fn suggesting(options: impl IntoIterator<Item = (String, OptionValue)>, kinds: &[Kind]) -> Result<Self> {
        let mut checked = Self { retries: Retries::from_environment(), ..Self::default() };
        for (name, value) in options {
            let key = name.to_ascii_lowercase();
            if checked.retries.set(&key, &value)?
                || Self::is_accepted(&key, &value)?
                || checked.set_header(&key, &value)?
            {
                continue;
            }
            if !KINDS.iter().any(|kind| knows(*kind, &key)) {
                return Err(unknown(&name, &key, kinds));
            }
            let OptionValue::Text(text) = value else {
                let example = if key.ends_with("timeout") { " such as \"30s\"" } else { "" };
                return Err(Error::argument(format!("storage option {name:?} must be a str{example}")));
            };
            checked.texts.insert(key, text);
        }
        Ok(checked)
    }

    /// Adds a header if the option is one; returns false if not.
    fn set_header(&mut self, key: &str, value: &OptionValue) -> Result<bool> {
        let Some(name) = key.strip_prefix(HEADER) else { return Ok(false) };
        let OptionValue::Text(text) = value else {
            return Err(Error::argument(format!("the header {name:?} in `storage_options` must be a str")));
        };
        let invalid =
            |part| Error::argument(format!("the {part} of the header {name:?} in `storage_options` is not valid"));
        let mut value = HeaderValue::from_str(text).map_err(|_| invalid("value"))?;
        value.set_sensitive(true);
        self.headers.insert(HeaderName::try_from(name).map_err(|_| invalid("name"))?, value);
        Ok(true)
    }

    fn is_accepted(key: &str, value: &OptionValue) -> Result<bool> {
        let accepted = ACCEPTED.contains(&key);
        if accepted && matches!(value, OptionValue::Text(_)) {
            return Err(Error::argument(format!("storage option {key:?} must be a number")));
        }
        Ok(accepted)
    }

    /// Checks that every option is known to one of the stores of these URLs, patterns or directories.
    ///
    /// # Errors
    /// If no store knows an option, or if a scheme is unknown.
    pub fn check<'a>(&self, urls: impl IntoIterator<Item = &'a str>) -> Result<()> {
        let kinds = urls.into_iter().map(Kind::of).collect::<Result<HashSet<_>>>()?;
        // Polars accepts options for HTTP and ignores them.
        if kinds.is_empty() || kinds.contains(&Kind::Http) {
            return Ok(());
        }
        if let Some(name) = self.headers.keys().next() {
            return Err(Error::argument(format!("the header {name:?} in `storage_options` is for web servers only")));
        }
        if kinds.contains(&Kind::Aws)
            && let Some(name) = self.texts.get("aws_profile").or_else(|| self.texts.get("profile"))
            && !profile::exists(name)
        {
            let message = format!("storage option \"aws_profile\": no profile {name:?} in the files of AWS (`~/.aws`)");
            return Err(Error::argument(message));
        }
        match self.texts.keys().find(|key| !kinds.iter().any(|kind| knows(*kind, key))) {
            Some(key) => Err(unknown(key, key, &kinds.into_iter().collect::<Vec<_>>())),
            None => Ok(()),
        }
    }

    /// Masks the secret values in a text, which may quote them.
    pub(super) fn redact(&self, text: &str) -> String {
        let secrets = self.texts.iter().filter(|(key, value)| value.len() > 3 && is_secret(key));
        secrets.fold(text.to_owned(), |text, (_, value)| text.replace(value, "***"))
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions").field("names", &self.texts.keys()).finish_non_exhaustive()
    }
}

fn is_secret(key: &str) -> bool {
    ["key", "secret", "token", "credential", "sas", "proxy"].iter().any(|word| key.contains(word))
}

/// Returns true if a store of this kind has such an option.
pub(super) fn knows(kind: Kind, key: &str) -> bool {
    match kind {
        // The profile is an option of Polars, which the store does not know.
        Kind::Aws => key.parse::<AmazonS3ConfigKey>().is_ok() || matches!(key, "aws_profile" | "profile"),
        // The name `token` is Polars' own, for a bearer token.
        Kind::Gcp => key.parse::<GoogleConfigKey>().is_ok() || key == "token",
        Kind::Azure => key.parse::<AzureConfigKey>().is_ok(),
        Kind::Http => key.parse::<ClientConfigKey>().is_ok(),
        Kind::Given => false,
    }
}

#[cold]
fn unknown(name: &str, key: &str, kinds: &[Kind]) -> Error {
    // The first names are options of all stores.
    let of_store =
        KNOWN.iter().enumerate().filter(|(at, known)| *at < OF_ALL || kinds.iter().any(|kind| knows(*kind, known)));
    let known: Vec<_> = of_store.map(|(_, known)| *known).collect();
    // Names that differ in more than two of three letters have nothing in common.
    let nearest = known.iter().map(|known| (distance(key, known), known)).min();
    let same =
        OF_FSSPEC.iter().find(|(of_fsspec, ours)| *of_fsspec == key && kinds.iter().any(|kind| knows(*kind, ours)));
    let hint = match (same, nearest) {
        (Some((_, same)), _) => format!("it is called {same:?} here"),
        (None, Some((distance, nearest))) if 3 * distance <= 2 * key.len() => format!("did you mean {nearest:?}?"),
        _ => {
            format!("known are {}, and others", known[OF_ALL..].iter().take(12).copied().collect::<Vec<_>>().join(", "))
        }
    };
    Error::argument(format!("unknown storage option {name:?}; {hint}"))
}

/// Returns the number of edits that turn one name into the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> OptionValue {
        OptionValue::Text(value.to_owned())
    }

    fn error(name: &str, value: OptionValue) -> String {
        StoreOptions::new([(name.to_owned(), value)]).unwrap_err().to_string()
    }

    #[test]
    fn the_nearest_name_is_suggested() {
        assert!(error("endpont_url", text("x")).contains("\"endpoint_url\""));
        assert!(error("aws_acces_key_id", text("secret")).contains("\"aws_access_key_id\""));
        assert!(error("max_retrys", OptionValue::Integer(1)).contains("\"max_retries\""));
        assert!(!error("aws_acces_key_id", text("topsecret")).contains("topsecret"));
        let listed = error("foo", text("x"));
        assert!(!listed.contains("did you mean") && listed.contains("aws_endpoint_url"), "{listed}");
    }

    #[test]
    fn a_suggestion_is_an_option_of_the_store() {
        let suggested = |url: &str, name: &str| {
            StoreOptions::for_urls([(name.to_owned(), text("1"))], [url]).unwrap_err().to_string()
        };
        assert!(suggested("gs://b/x", "beare_token").contains("\"bearer_token\""));
        assert!(suggested("gs://b/x", "toke").contains("\"token\""));
        assert!(suggested("az://b/x", "acount_key").contains("\"account_key\""));
        let mut n_suggested = 0;
        for (url, kind) in [("s3://b/x", Kind::Aws), ("gs://b/x", Kind::Gcp), ("az://b/x", Kind::Azure)] {
            for name in ["regio", "sas_toke", "bearer_toke", "key", "account_nam", "endpoint_ur", "secret", "skip"] {
                let message = suggested(url, name);
                let found = message.split('"').nth(3);
                let is_known = |found| knows(kind, found) || KNOWN[..OF_ALL].contains(&found);
                assert!(found.is_none_or(is_known), "{url}: {message}");
                n_suggested += usize::from(found.is_some());
            }
        }
        assert!(n_suggested >= 10, "{n_suggested} of 24");
    }

    #[test]
    fn options_of_fsspec_are_told_by_their_names_here() {
        for (url, name, ours) in [
            ("s3://b/x", "key", "aws_access_key_id"),
            ("s3://b/x", "secret", "aws_secret_access_key"),
            ("s3://b/x", "anon", "aws_skip_signature"),
            ("gs://b/x", "anon", "google_skip_signature"),
        ] {
            let error = StoreOptions::for_urls([(name.to_owned(), text("1"))], [url]).unwrap_err().to_string();
            assert!(error.ends_with(&format!("it is called {ours:?} here")), "{error}");
        }
    }

    #[test]
    fn every_suggestion_is_known() {
        for name in KNOWN {
            let number = StoreOptions::new([(name.to_owned(), OptionValue::Integer(1))]).is_ok();
            assert!(number || StoreOptions::new([(name.to_owned(), text("1"))]).is_ok(), "{name}");
        }
    }

    #[test]
    fn numbers_are_numbers_and_texts_are_texts() {
        assert!(error("max_retries", text("1")).contains("expected int"));
        assert!(error("aws_region", OptionValue::Integer(1)).contains("must be a str"));
        let options = [("MAX_RETRIES".to_owned(), OptionValue::Integer(3)), ("AWS_REGION".to_owned(), text("eu"))];
        let options = StoreOptions::new(options).unwrap();
        assert_eq!((options.retries.max, options.texts["aws_region"].as_str()), (3, "eu"));
        assert!(options.check(["s3://b/*"]).is_ok() && options.check(["gs://b/x", "s3://b/x"]).is_ok());
        assert!(options.check(["gs://b/x"]).is_err() && options.check(["http://b/x"]).is_ok());
    }

    #[test]
    fn headers_are_for_web_servers() {
        let header = |name: &str, value: &str| StoreOptions::new([(format!("header.{name}"), text(value))]);
        let options = header("Authorization", "Bearer topsecret").unwrap();
        assert!(options.check(["https://host/x"]).is_ok());
        assert!(options.check(["s3://b/x"]).unwrap_err().to_string().contains("\"authorization\""));
        assert!(!format!("{options:?}").contains("topsecret"));
        assert!(header("x y", "1").unwrap_err().to_string().contains("the name of the header"));
        let error = header("x", "topsecret\n").unwrap_err().to_string();
        assert!(error.contains("the value of the header") && !error.contains("topsecret"));
    }

    #[test]
    fn values_are_not_shown() {
        let options = StoreOptions::new([("aws_secret_access_key".to_owned(), text("topsecret"))]).unwrap();
        assert!(!format!("{options:?}").contains("topsecret"));
        assert_eq!(options.redact("bad key topsecret"), "bad key ***");
    }
}
