//! Stores, created from a URL, the environment and options when the first request needs them.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, resolve_bucket_region};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::client::HttpConnector;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::multipart::MultipartStore;
use object_store::{BackoffConfig, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig};

use super::credentials::{Cached, CredentialSource, Provider, aws, azure, gcp};
use super::error::Failure;
use super::http::Connector;
use super::location::{Kind, Location};
use super::option_value::Setting;
use super::options::StoreOptions;
use super::profile;
use crate::Error;

/// The maximum time that a server may take to accept a connection, and to send the next bytes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The maximum time for sending a part and receiving the response, on a slow line.
const WRITE_TIMEOUT: Duration = Duration::from_secs(300);

/// Options that are texts, by their names.
type Texts = BTreeMap<String, String>;

/// One store.
#[derive(Clone)]
pub(super) struct Store {
    pub(super) objects: Arc<dyn ObjectStore>,
    /// The same store if it takes objects in parts. Web servers do not.
    pub(super) parts: Option<Arc<dyn MultipartStore>>,
}

impl Store {
    fn new(store: impl ObjectStore + MultipartStore) -> Self {
        Self::of(Arc::new(store))
    }

    pub(super) fn of(store: Arc<impl ObjectStore + MultipartStore>) -> Self {
        Self { objects: store.clone(), parts: Some(store) }
    }
}

/// Sources of credentials by the name of the kind of store: `aws`, `azure` or `gcp`.
///
/// ```
/// let none = polars_avro::CredentialSources::new();
/// assert!(none.is_empty());
/// ```
pub type CredentialSources = HashMap<String, Arc<dyn CredentialSource>>;

/// The stores of one read, all with the same options.
pub(super) struct Stores {
    pub(super) options: StoreOptions,
    read_timeout: Duration,
    /// Cached credentials by the name of the kind of store.
    credentials: HashMap<String, Arc<Cached>>,
    /// Stores by URL, with the process that created them, because connections do not survive a fork.
    made: Mutex<(u32, HashMap<String, Store>)>,
    web: Mutex<Option<(u32, Connector)>>,
    /// The caller's own store, which holds all objects.
    given: Option<Store>,
    /// True if a request that keeps failing was logged.
    pub(super) has_warned: AtomicBool,
    /// True if a request was answered, or if it was logged that none is.
    pub(super) has_answered: AtomicBool,
}

impl Stores {
    pub(super) fn new(options: StoreOptions, credentials: CredentialSources) -> Self {
        let credentials = credentials.into_iter().map(|(kind, source)| (kind, Arc::new(Cached::new(source)))).collect();
        let (made, web, given, has_warned, has_answered) = <_>::default();
        Self { options, read_timeout: READ_TIMEOUT, credentials, made, web, given, has_warned, has_answered }
    }

    /// Creates the stores of a read in the caller's own store.
    pub(super) fn given(store: Store) -> Self {
        Self { given: Some(store), ..Self::new(StoreOptions::default(), CredentialSources::new()) }
    }

    /// Returns true if the caller made the store.
    pub(super) fn is_given(&self) -> bool {
        self.given.is_some()
    }

    /// Creates stores for uploads, with a longer timeout: clients count the time of sending as waiting for a response.
    pub(super) fn for_writing(options: StoreOptions, credentials: CredentialSources) -> Self {
        Self { read_timeout: WRITE_TIMEOUT, ..Self::new(options, credentials) }
    }

    /// Returns the store that holds an object.
    pub(super) async fn get(&self, location: &Location) -> Result<Store, Failure> {
        if let Some(store) = &self.given {
            return Ok(store.clone());
        }
        let process = std::process::id();
        {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            if made.0 != process {
                *made = (process, HashMap::new());
            }
            if let Some(store) = made.1.get(&location.store) {
                return Ok(store.clone());
            }
        }
        let store = self.make(location).await?;
        if location.kind != Kind::Http {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            made.1.insert(location.store.clone(), store.clone());
        }
        Ok(store)
    }

    /// Discards cached credentials, so that new ones are fetched; returns false if there is no source for them.
    pub(super) async fn renew_credentials(&self, kind: Kind) -> bool {
        let cached = self.credentials(kind);
        if let Some(cached) = &cached {
            cached.forget().await;
        }
        cached.is_some()
    }

    fn credentials(&self, kind: Kind) -> Option<Arc<Cached>> {
        self.credentials.get(kind.name()).cloned()
    }

    async fn make(&self, location: &Location) -> Result<Store, Failure> {
        let texts = &self.options.texts;
        let region = if location.kind == Kind::Aws { self.resolve_region(location).await? } else { None };
        let made = self.build(location, texts, region.as_deref());
        made.map_err(|failure| self.blame(failure, location, region.as_deref()))
    }

    /// Finds the option that prevents a store from being created: the one without which it can be created.
    fn blame(&self, failure: Failure, location: &Location, region: Option<&str>) -> Failure {
        let Failure::Other(text) = failure else { return failure };
        let text = self.options.redact(&text);
        let is_to_blame = |key: &&String| {
            let others = self.options.texts.iter().filter(|(other, _)| other != key);
            let others = others.map(|(key, value)| (key.clone(), value.clone())).collect();
            self.build(location, &others, region).is_ok()
        };
        match self.options.texts.keys().find(is_to_blame) {
            Some(key) => Error::argument(format!("storage option {key:?}: {text}")).into(),
            None => Failure::Other(text),
        }
    }

    fn build(&self, location: &Location, texts: &Texts, region: Option<&str>) -> Result<Store, Failure> {
        match location.kind {
            Kind::Aws => self.build_aws(location, texts, region),
            Kind::Gcp => self.build_gcp(location, texts),
            Kind::Azure => self.build_azure(location, texts),
            Kind::Http => self.build_http(location, texts),
            Kind::Given => Err(Failure::Other("the caller's store has no URL".to_owned())),
        }
    }

    /// Returns the settings of S3 by increasing precedence: environment, `~/.aws`, options.
    fn aws_settings(&self, texts: &Texts) -> HashMap<AmazonS3ConfigKey, Setting> {
        use AmazonS3ConfigKey::{AccessKeyId, DefaultRegion, Endpoint, Region, S3Endpoint, SecretAccessKey, Token};
        let given = parsed(texts.clone());
        let keys_given = given.contains_key(&AccessKeyId) || given.contains_key(&SecretAccessKey);
        let mut settings = parsed(environment(&["AWS_"]));
        if keys_given {
            // A token in the environment belongs to the keys in the environment.
            settings.retain(|key, _| ![AccessKeyId, SecretAccessKey, Token].contains(key));
        }
        let profile = profile::settings(texts.get("aws_profile").or_else(|| texts.get("profile")));
        let mut from_profile = parsed(profile.into_iter().map(|(key, value)| (key.to_owned(), value)));
        if keys_given || settings.contains_key(&AccessKeyId) || self.credentials(Kind::Aws).is_some() {
            from_profile.retain(|key, _| [Region, Endpoint].contains(key));
        }
        if settings.contains_key(&DefaultRegion) {
            from_profile.remove(&Region);
        }
        if settings.contains_key(&S3Endpoint) || given.contains_key(&S3Endpoint) {
            from_profile.remove(&Endpoint);
        }
        for (key, value) in from_profile {
            settings.entry(key).or_insert(value);
        }
        settings.extend(given);
        settings
    }

    /// Finds the region of an Amazon bucket if no setting has it.
    async fn resolve_region(&self, location: &Location) -> Result<Option<String>, Failure> {
        use AmazonS3ConfigKey::{DefaultRegion, Endpoint, Region, S3Endpoint};
        let settings = self.aws_settings(&self.options.texts);
        if [Region, DefaultRegion].iter().any(|key| settings.contains_key(key)) {
            return Ok(None);
        }
        if [Endpoint, S3Endpoint].iter().any(|key| settings.contains_key(key)) {
            return Ok(Some("us-east-1".to_owned()));
        }
        let bucket = location.store.split_once("://").map_or("", |(_, bucket)| bucket);
        Ok(Some(resolve_bucket_region(bucket, &self.client(&self.options.texts)).await?))
    }

    fn build_aws(&self, location: &Location, texts: &Texts, region: Option<&str>) -> Result<Store, Failure> {
        let settings = self.aws_settings(texts);
        let mut builder = AmazonS3Builder::new().with_url(&location.store).with_client_options(self.client(texts));
        builder = builder.with_retry(no_retries()).with_http_connector(Connector::default());
        if let Some(region) = region {
            builder = builder.with_region(region);
        }
        let signed = settings.get(&AmazonS3ConfigKey::SkipSignature);
        let anonymous = signed.is_some_and(|setting| setting.value.eq_ignore_ascii_case("true"));
        for (key, setting) in settings {
            builder = builder.with_config(key, setting.checked()?);
        }
        if let Some(cached) = self.credentials(Kind::Aws).filter(|_| !anonymous) {
            builder = builder.with_credentials(Arc::new(Provider { cached, convert: aws }));
        }
        Ok(Store::new(builder.build()?))
    }

    fn build_gcp(&self, location: &Location, texts: &Texts) -> Result<Store, Failure> {
        let mut builder =
            GoogleCloudStorageBuilder::new().with_url(&location.store).with_client_options(self.client(texts));
        builder = builder.with_retry(no_retries()).with_http_connector(Connector::default());
        // Credentials of the environment would take precedence over those of the provider.
        let is_provided = self.credentials(Kind::Gcp).is_some();
        let mut settings =
            parsed(if is_provided { HashMap::new() } else { environment(&["GOOGLE_", "SERVICE_ACCOUNT"]) });
        settings.extend(parsed(texts.clone()));
        if let Some(value) = texts.get("token").cloned() {
            settings.insert(GoogleConfigKey::BearerToken, Setting { name: "token".to_owned(), value });
        }
        for (key, setting) in settings {
            builder = builder.with_config(key, setting.checked()?);
        }
        if let Some(cached) = self.credentials(Kind::Gcp) {
            builder = builder.with_credentials(Arc::new(Provider { cached, convert: gcp }));
        }
        Ok(Store::new(builder.build()?))
    }

    fn build_azure(&self, location: &Location, texts: &Texts) -> Result<Store, Failure> {
        let mut builder =
            MicrosoftAzureBuilder::new().with_url(&location.store).with_client_options(self.client(texts));
        builder = builder.with_retry(no_retries()).with_http_connector(Connector::default());
        let mut settings = parsed(environment(&["AZURE_", "IDENTITY_", "MSI_"]));
        settings.extend(parsed(texts.clone()));
        for (key, setting) in settings {
            builder = builder.with_config(key, setting.checked()?);
        }
        if let Some(cached) = self.credentials(Kind::Azure) {
            builder = builder.with_credentials(Arc::new(Provider { cached, convert: azure }));
        }
        Ok(Store::new(builder.build()?))
    }

    fn build_http(&self, location: &Location, texts: &Texts) -> Result<Store, Failure> {
        let builder = HttpBuilder::new().with_url(&location.store).with_retry(no_retries());
        let store = Arc::new(builder.with_http_connector(self.web(texts)?).build()?);
        Ok(Store { objects: store, parts: None })
    }

    /// Returns the client of all web servers.
    fn web(&self, texts: &Texts) -> Result<Connector, Failure> {
        let mut web = self.web.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        if let Some((owner, connector)) = &*web
            && *owner == process
        {
            return Ok(connector.clone());
        }
        let web_only = Connector { shared: None, is_web: true };
        let connector = Connector {
            shared: Some(web_only.connect(&self.client(texts).with_default_headers(self.options.headers.clone()))?),
            is_web: true,
        };
        *web = Some((process, connector.clone()));
        Ok(connector)
    }

    fn client(&self, texts: &Texts) -> ClientOptions {
        let mut client = ClientOptions::new().with_allow_http(true).with_timeout_disabled();
        client = client.with_connect_timeout(CONNECT_TIMEOUT).with_read_timeout(self.read_timeout);
        for (key, setting) in parsed::<ClientConfigKey>(texts.clone()) {
            client = client.with_config(key, setting.value);
        }
        client
    }
}

/// Disables the retries of the stores: `retry` is the only place that retries.
fn no_retries() -> RetryConfig {
    RetryConfig { max_retries: 0, retry_timeout: Duration::ZERO, backoff: BackoffConfig::default() }
}

/// Parses the settings that a store knows.
fn parsed<K>(settings: impl IntoIterator<Item = (String, String)>) -> HashMap<K, Setting>
where
    K: std::str::FromStr + Eq + std::hash::Hash,
{
    settings.into_iter().filter_map(|(name, value)| Some((name.parse().ok()?, Setting { name, value }))).collect()
}

fn environment(prefixes: &[&str]) -> HashMap<String, String> {
    let variables =
        std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    let ours =
        variables.filter(|(key, value)| prefixes.iter().any(|prefix| key.starts_with(prefix)) && !value.is_empty());
    ours.map(|(key, value)| (key.to_ascii_lowercase(), value)).collect()
}
