//! Locations of objects: parses URLs into a store and a key, and hides their secrets.

use object_store::path::Path;

use crate::{Error, Result};

/// The schemes that are supported.
#[doc(hidden)]
pub const SCHEMES: [&str; 12] =
    ["s3", "s3a", "gs", "gcs", "az", "azure", "adl", "abfs", "abfss", "http", "https", "file"];

/// The protocol that a store speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Aws,
    Gcp,
    Azure,
    Http,
    /// A store of the caller's own.
    Given,
}

impl Kind {
    /// Returns the name of a kind among the credentials.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::Azure => "azure",
            Self::Http => "http",
            Self::Given => "store",
        }
    }

    /// Returns the kind of a URL, which may be a pattern or a directory.
    ///
    /// # Errors
    /// If the scheme is unknown.
    pub(super) fn of(url: &str) -> Result<Self> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        match scheme.to_ascii_lowercase().as_str() {
            "s3" | "s3a" => Ok(Self::Aws),
            "gs" | "gcs" => Ok(Self::Gcp),
            "az" | "azure" | "adl" | "abfs" | "abfss" => Ok(Self::Azure),
            "http" | "https" if is_azure(rest) => Ok(Self::Azure),
            "http" | "https" => Ok(Self::Http),
            _ => {
                let stores = SCHEMES.iter().filter(|scheme| **scheme != "file");
                let known = stores.map(|scheme| format!("{scheme}://")).collect::<Vec<_>>().join(" ");
                let message = format!("the scheme {scheme:?} is unknown; known are {known}");
                Err(Error::argument(message).in_file(&shown(url)))
            }
        }
    }
}

/// One object.
#[derive(Clone, Debug)]
pub(super) struct Location {
    pub(super) kind: Kind,
    /// The URL to create the store from: without the key, except over HTTP, where it is the whole URL.
    pub(super) store: String,
    pub(super) key: Path,
    /// The URL without its query, fragment and password.
    pub(super) shown: String,
}

impl Location {
    /// Parses a URL.
    ///
    /// # Errors
    /// If the scheme is unknown, or the URL names no object.
    pub(super) fn parse(url: &str) -> Result<Self> {
        let kind = Kind::of(url)?;
        let shown = shown(url);
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let (host, key) = rest.split_once('/').unwrap_or((rest, ""));
        let web = scheme.to_ascii_lowercase().starts_with("http");
        if kind == Kind::Azure && web {
            let (container, key) = key.split_once('/').unwrap_or((key, ""));
            return Self::in_store(kind, format!("https://{host}/{container}"), container, key, shown);
        }
        if kind == Kind::Http {
            if host.is_empty() {
                return Err(Error::argument("the URL names no server").in_file(&shown));
            }
            return Ok(Self { kind, store: url.to_owned(), key: Path::default(), shown });
        }
        let scheme = if kind == Kind::Gcp { "gs".to_owned() } else { scheme.to_ascii_lowercase() };
        Self::in_store(kind, format!("{scheme}://{host}"), host, key, shown)
    }

    /// Creates the location of an object in the caller's own store.
    pub(super) fn given(key: Path) -> Self {
        let shown = key.to_string();
        Self { kind: Kind::Given, store: String::new(), key, shown }
    }

    fn in_store(kind: Kind, store: String, container: &str, key: &str, shown: String) -> Result<Self> {
        if container.is_empty() {
            return Err(Error::argument("the URL names no bucket or container").in_file(&shown));
        }
        let (user, bucket) = container.rsplit_once('@').unwrap_or(("", container));
        if user.contains(':') || bucket.contains(':') || (kind != Kind::Azure && container.contains('@')) {
            let message = "the URL must not hold keys or a port: pass them as `storage_options`";
            return Err(Error::argument(message).in_file(&shown));
        }
        if key.starts_with('/') {
            let message = "not a key: it begins with a slash, and objects of such keys cannot be told from others";
            return Err(Error::argument(message).in_file(&shown));
        }
        if key.is_empty() || key.ends_with('/') {
            return Err(Error::argument("the URL names no object, only a place for objects").in_file(&shown));
        }
        let key = Path::parse(key).map_err(|error| Error::argument(format!("not a key: {error}")).in_file(&shown))?;
        Ok(Self { kind, store, key, shown })
    }
}

/// Returns true if a web address is that of an Azure account. One with a query is signed, and is used unchanged.
fn is_azure(rest: &str) -> bool {
    const DOMAINS: [&str; 4] =
        ["dfs.core.windows.net", "blob.core.windows.net", "dfs.fabric.microsoft.com", "blob.fabric.microsoft.com"];
    let host = rest.split('/').next().unwrap_or_default();
    !rest.contains(['?', '#', '@']) && DOMAINS.iter().any(|domain| host.ends_with(domain))
}

/// Removes possible secrets: the query and the fragment, a user's name and password. In URLs of stores both are parts of a
/// key, unless there is a signature. Returns a text that is no URL unchanged.
pub(super) fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let web = ["http", "https"].iter().any(|name| scheme.to_ascii_lowercase().ends_with(name));
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    // The user of `abfss://container@account` is a container, not a password.
    let user = if web || user.contains(':') || user.is_empty() { String::new() } else { format!("{user}@") };
    // A password with a slash, a question mark or a hash looks like a port.
    if let Some((name, port)) = host.rsplit_once(':')
        && !host.ends_with(']')
        && (!port.bytes().all(|byte| byte.is_ascii_digit()) || (!path.starts_with('/') && path.contains('@')))
    {
        return format!("{scheme}://{user}{name}:***");
    }
    // Keys in stores may contain both characters.
    let is_store = !web && SCHEMES.contains(&scheme.to_ascii_lowercase().as_str());
    let cut = path.find(['?', '#']).filter(|&at| !is_store || path[at..].to_lowercase().contains("sig"));
    format!("{scheme}://{user}{host}{}", &path[..cut.unwrap_or(path.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> (Kind, String, String) {
        let location = Location::parse(url).unwrap();
        (location.kind, location.store, location.key.to_string())
    }

    #[test]
    fn schemes_choose_the_store() {
        assert_eq!(parsed("s3://b/k=1/a b.avro"), (Kind::Aws, "s3://b".into(), "k=1/a b.avro".into()));
        assert_eq!(parsed("S3A://b/x"), (Kind::Aws, "s3a://b".into(), "x".into()));
        assert_eq!(parsed("gcs://b/x"), (Kind::Gcp, "gs://b".into(), "x".into()));
        assert_eq!(
            parsed("abfss://c@a.dfs.core.windows.net/x"),
            (Kind::Azure, "abfss://c@a.dfs.core.windows.net".into(), "x".into())
        );
        assert_eq!(
            parsed("https://a.blob.core.windows.net/c/d/x"),
            (Kind::Azure, "https://a.blob.core.windows.net/c".into(), "d/x".into())
        );
        let signed = "https://b.s3.amazonaws.com/x?X-Amz-Signature=abc";
        assert_eq!(parsed(signed), (Kind::Http, signed.into(), String::new()));
    }

    #[test]
    fn unknown_schemes_list_the_known_ones() {
        let error = Location::parse("ftp://host/x?password=secret").unwrap_err().to_string();
        for scheme in SCHEMES.iter().filter(|scheme| **scheme != "file") {
            assert!(error.contains(&format!("{scheme}://")), "{error}");
        }
        assert!(!Location::parse("file:///x").unwrap_err().message().contains("file://"));
        assert!(error.contains("ftp") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn nothing_secret_is_shown() {
        assert_eq!(shown("https://user:pass@host/x?sig=abc#f"), "https://host/x");
        assert_eq!(shown("https://host?sig=abc"), "https://host");
        assert_eq!(shown("abfss://c@a.dfs.core.windows.net/x"), "abfss://c@a.dfs.core.windows.net/x");
        assert_eq!(shown("HTTPS://user:SECRET@host/x"), "HTTPS://host/x");
        assert_eq!(shown("s3://AKIA:SECRET@bucket/x"), "s3://bucket/x");
        assert_eq!(shown("http://[::1]:80/a@b?c#d"), "http://[::1]:80/a@b");
        assert_eq!(shown("http://[::1]/a:b"), "http://[::1]/a:b");
        assert_eq!(shown("s3://bucket/a#1/b?c.avro"), "s3://bucket/a#1/b?c.avro");
        assert_eq!(shown("az://container/x?sv=1&sig=abc"), "az://container/x");
        for url in [
            "http://user:SECRET#x@h/x",
            "http://user:SE?SECRET@h/x",
            "http://user:12#SECRET@h/x",
            "https://user:SECRET/x@h:1/y",
            "s3://AKIA:SEC/SECRET@bucket/x",
            "http://SECRET@h/x",
        ] {
            assert!(!shown(url).contains("SEC"), "{}", shown(url));
        }
        let word = "(https://user:SECRET@host/x?SECRET)";
        assert_eq!(shown(word), "(https://host/x");
        assert_eq!(shown("no URL: a?b#c"), "no URL: a?b#c");
    }

    #[test]
    fn keys_do_not_belong_in_urls() {
        for url in ["s3://AKIA:SECRET@bucket/x", "gs://SECRET@bucket/x", "abfss://c:SECRET@a/x", "s3://AKIA:SEC/x@b/x"]
        {
            let message = Location::parse(url).unwrap_err().to_string();
            assert!(message.contains("storage_options"), "{message}");
        }
    }

    #[test]
    fn a_bucket_is_no_object() {
        for url in ["s3://b", "s3://b/", "s3://b/x/", "s3:///x", "https:///x", "s3://b//x", "gs://b///x", "s3://b/d//x"]
        {
            assert!(Location::parse(url).is_err(), "{url}");
        }
    }
}
