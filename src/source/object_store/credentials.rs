//! Caches credentials that a caller provides until they expire.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use object_store::azure::{AzureAccessKey, AzureCredential};
use object_store::gcp::GcpCredential;

use super::error::Carried;
use super::option_value::check_header;
use crate::{Error, Result};

/// Credentials under the names that Polars' providers give them.
///
/// ```
/// use polars_avro::Credentials;
///
/// let none = Credentials::default();
/// assert!(none.values.is_empty() && none.expires.is_none());
/// ```
#[derive(Clone, Default)]
pub struct Credentials {
    /// Names and values, with names such as `aws_access_key_id`.
    pub values: Vec<(String, String)>,
    /// The time of expiry; `None` is never.
    pub expires: Option<SystemTime>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// A provider of credentials. It may block, and is called on threads of its own.
///
/// ```
/// use std::time::SystemTime;
///
/// use polars_avro::{CredentialSource, Credentials, Result};
///
/// /// The same key for as long as the program runs.
/// struct Fixed(String);
///
/// impl CredentialSource for Fixed {
///     fn fetch(&self, _refused: bool) -> Result<Credentials> {
///         let values = vec![("account_key".to_owned(), self.0.clone())];
///         Ok(Credentials { values, expires: None::<SystemTime> })
///     }
/// }
///
/// assert_eq!(Fixed("secret".to_owned()).fetch(false)?.values.len(), 1);
/// # Ok::<(), polars_avro::Error>(())
/// ```
pub trait CredentialSource: Send + Sync {
    /// Returns credentials that are valid now; `refused` is true if the store refused the last ones.
    ///
    /// # Errors
    /// If there are none.
    fn fetch(&self, refused: bool) -> Result<Credentials>;
}

/// The time before their expiry at which credentials are fetched again.
const MARGIN: Duration = Duration::from_secs(10);

/// The cached credentials of a source.
pub(super) struct Cached {
    source: Arc<dyn CredentialSource>,
    kept: tokio::sync::Mutex<Option<Credentials>>,
    refused: AtomicBool,
}

impl fmt::Debug for Cached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cached")
    }
}

impl Cached {
    pub(super) fn new(source: Arc<dyn CredentialSource>) -> Self {
        Self { source, kept: tokio::sync::Mutex::default(), refused: AtomicBool::new(false) }
    }

    /// Drops the cached credentials, so that the next request fetches new ones.
    pub(super) async fn forget(&self) {
        // Set first, so that a fetch that starts as soon as the cache is empty sees it.
        self.refused.store(true, Ordering::Relaxed);
        *self.kept.lock().await = None;
    }

    async fn get(&self) -> object_store::Result<Credentials> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = &*kept
            && kept.expires.is_none_or(|at| at > SystemTime::now() + MARGIN)
        {
            return Ok(kept.clone());
        }
        let (source, refused) = (self.source.clone(), self.refused.swap(false, Ordering::Relaxed));
        let fetched = tokio::task::spawn_blocking(move || source.fetch(refused)).await?.map_err(carry)?;
        fetched.values.iter().try_for_each(|(name, value)| check_header(name, value)).map_err(carry)?;
        Ok(kept.insert(fetched).clone())
    }
}

fn carry(error: Error) -> object_store::Error {
    object_store::Error::Generic { store: "credentials", source: Box::new(Carried(Mutex::new(Some(error)))) }
}

/// A provider of credentials in the format of one store.
pub(super) struct Provider<T> {
    pub(super) cached: Arc<Cached>,
    pub(super) convert: fn(Credentials) -> Result<T>,
}

impl<T> fmt::Debug for Provider<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Provider")
    }
}

#[async_trait]
impl<T: fmt::Debug + Send + Sync + 'static> CredentialProvider for Provider<T> {
    type Credential = T;

    async fn get_credential(&self) -> object_store::Result<Arc<T>> {
        (self.convert)(self.cached.get().await?).map(Arc::new).map_err(carry)
    }
}

/// Converts credentials into keys of S3.
pub(super) fn aws(credentials: Credentials) -> Result<AwsCredential> {
    let (mut key_id, mut secret_key, mut token) = (None, None, None);
    for (name, value) in credentials.values {
        match name.as_str() {
            "aws_access_key_id" => key_id = Some(value),
            "aws_secret_access_key" => secret_key = Some(value),
            "aws_session_token" => token = Some(value),
            other => return Err(unknown(other, "aws_access_key_id, aws_secret_access_key, aws_session_token")),
        }
    }
    match (key_id, secret_key) {
        (Some(key_id), Some(secret_key)) => Ok(AwsCredential { key_id, secret_key, token }),
        (None, _) => Err(Error::argument("the credential provider returned no \"aws_access_key_id\"")),
        (_, None) => Err(Error::argument("the credential provider returned no \"aws_secret_access_key\"")),
    }
}

/// Converts credentials into a bearer token of Google.
pub(super) fn gcp(credentials: Credentials) -> Result<GcpCredential> {
    match one(credentials, "bearer_token")? {
        (name, bearer) if name == "bearer_token" => Ok(GcpCredential { bearer }),
        (other, _) => Err(unknown(&other, "bearer_token")),
    }
}

/// Converts credentials into a key or a token of Azure.
pub(super) fn azure(credentials: Credentials) -> Result<AzureCredential> {
    const NAMES: &str = "account_key, bearer_token, sas_token";
    let (name, value) = one(credentials, NAMES)?;
    let damaged = || Error::argument(format!("the {name:?} of the credential provider is not valid"));
    match name.as_str() {
        "account_key" => Ok(AzureCredential::AccessKey(AzureAccessKey::try_new(&value).map_err(|_| damaged())?)),
        "bearer_token" => Ok(AzureCredential::BearerToken(value)),
        "sas_token" => Ok(AzureCredential::SASToken(sas_pairs(&value).ok_or_else(damaged)?)),
        other => Err(unknown(other, NAMES)),
    }
}

fn sas_pairs(token: &str) -> Option<Vec<(String, String)>> {
    let decode = |text: &str| {
        let bytes = percent_decode(text)?;
        String::from_utf8(bytes).ok()
    };
    let pairs = token.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').and_then(|(key, value)| Some((decode(key)?, decode(value)?)))).collect()
}

fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            (digit(bytes.next())? * 16 + digit(bytes.next())?) as u8
        } else {
            byte
        });
    }
    Some(decoded)
}

fn one(credentials: Credentials, names: &str) -> Result<(String, String)> {
    let mut values = credentials.values.into_iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(Error::argument(format!("the credential provider must return one of {names}"))),
    }
}

#[cold]
fn unknown(name: &str, known: &str) -> Error {
    Error::argument(format!("unknown key {name:?} in the credential provider's result; known are {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Credentials {
        let values = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Credentials { values, expires: None }
    }

    #[test]
    fn only_known_keys_are_taken() {
        let keys = [("aws_access_key_id", "a"), ("aws_secret_access_key", "b")];
        assert_eq!(aws(with(&keys)).unwrap().token, None);
        assert!(aws(with(&keys[..1])).unwrap_err().to_string().contains("aws_secret_access_key"));
        assert!(aws(with(&[("key", "topsecret")])).unwrap_err().to_string().contains("\"key\""));
        assert_eq!(gcp(with(&[("bearer_token", "t")])).unwrap().bearer, "t");
        assert!(gcp(with(&[])).is_err());
    }

    #[test]
    fn a_sas_token_is_taken_apart() {
        let AzureCredential::SASToken(pairs) = azure(with(&[("sas_token", "?sv=2021&sig=a%2Fb%3D")])).unwrap() else {
            panic!("a SAS token")
        };
        assert_eq!(pairs, [("sv".into(), "2021".into()), ("sig".into(), "a/b=".to_owned())]);
        assert!(!format!("{:?}", with(&[("sas_token", "sig")])).contains("sig"));
    }
}
