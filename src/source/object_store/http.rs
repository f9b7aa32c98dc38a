//! The HTTP client of the stores: failed statuses become errors that keep the relevant parts of the response.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use http::HeaderValue;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION};
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};

use super::answers::Asked;
use super::clients::Clients;

/// Marks requests for objects, as opposed to those for credentials and regions.
#[derive(Clone, Copy, Debug)]
pub(super) struct ForObject;

/// A response with an error status.
#[derive(Clone, Debug)]
pub(super) struct Status {
    pub(super) code: u16,
    /// The store's own name for the error, such as `NoSuchKey`.
    pub(super) name: Option<String>,
    pub(super) retry_after: Option<Duration>,
}

/// Errors that new credentials may resolve, some of which have status 400. The names are those of S3, whose protocol Google
/// speaks as well, and of Azure.
const EXPIRED: [&str; 5] =
    ["ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired", "InvalidAuthenticationInfo"];

/// Errors that another attempt may resolve, whatever their status.
const TRANSIENT: [&str; 8] = [
    "RequestTimeout",
    "RequestTimeoutException",
    "OperationTimedOut",
    "InternalError",
    "ServerBusy",
    "ServiceUnavailable",
    "SlowDown",
    "OperationAborted",
];

impl Status {
    /// Returns true if another attempt may succeed.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self.code, 408 | 429 | 500..=599) || self.is_one_of(&TRANSIENT)
    }

    /// Returns true if the store refused the credentials.
    pub(super) fn is_denied(&self) -> bool {
        matches!(self.code, 401 | 403) || self.is_one_of(&EXPIRED)
    }

    /// Returns true if the status may mean any error: responses to HEAD have no body that could name one.
    pub(super) fn is_unexplained(&self) -> bool {
        self.code == 400 && self.name.is_none()
    }

    fn is_one_of(&self, names: &[&str]) -> bool {
        self.name.as_deref().is_some_and(|name| names.contains(&name))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = http::StatusCode::from_u16(self.code).ok().and_then(|code| code.canonical_reason());
        write!(f, "the server answered {} {}", self.code, reason.unwrap_or(""))?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

impl std::error::Error for Status {}

/// A connector that creates clients whose failed responses are [`Status`] errors.
#[derive(Clone, Debug, Default)]
pub(super) struct Connector {
    /// A client that all stores share, so that they share connections.
    pub(super) shared: Option<HttpClient>,
    /// True for web servers, which report less about an object than stores do.
    pub(super) is_web: bool,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        if let Some(client) = &self.shared {
            return Ok(client.clone());
        }
        let client = HttpClient::new(Clients::new(options)?);
        Ok(HttpClient::new(Service { client, is_web: self.is_web }))
    }
}

#[derive(Debug)]
struct Service {
    client: HttpClient,
    is_web: bool,
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let for_object = request.extensions().get::<ForObject>().is_some() || is_for_objects(request.uri());
        let asked = Asked::of(&request);
        if self.is_web {
            sign_in(&mut request);
            // Compressed transfers would have other offsets.
            request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        let mut response = self.client.execute(request).await?;
        if self.is_web && response.status().is_success() {
            asked.complete(&mut response);
        }
        if !for_object || response.status().is_success() {
            return Ok(response);
        }
        let code = response.status().as_u16();
        let header = response.headers().get(http::header::RETRY_AFTER);
        let seconds = header.and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
        let named = response.headers().get("x-ms-error-code").and_then(|value| value.to_str().ok());
        let name = match named.map(str::to_owned) {
            Some(name) => Some(name),
            None => error_name(response).await,
        };
        let status = Status { code, name, retry_after: seconds.map(Duration::from_secs) };
        Err(HttpError::new(HttpErrorKind::Unknown, status))
    }
}

/// Moves the user and the password of a URL into the `Authorization` header.
fn sign_in(request: &mut HttpRequest) {
    let authority = request.uri().authority().map(ToString::to_string).unwrap_or_default();
    let Some((user, host)) = authority.rsplit_once('@') else { return };
    let credentials = if user.contains(':') { decode(user) } else { decode(&format!("{user}:")) };
    let mut parts = request.uri().clone().into_parts();
    parts.authority = host.parse().ok();
    let Ok(uri) = http::Uri::from_parts(parts) else { return };
    let Ok(mut value) = HeaderValue::try_from(format!("Basic {}", base64(&credentials))) else { return };
    value.set_sensitive(true);
    *request.uri_mut() = uri;
    request.headers_mut().insert(AUTHORIZATION, value);
}

/// Decodes percent-encoding; a percent sign without two hexadecimal digits stays.
fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let escaped = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    decoded
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().chain(&[0; 2]).take(3).fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        for digit in 0..4 {
            let shown = digit <= group.len();
            text.push(if shown { char::from(DIGITS[bits >> (18 - 6 * digit) & 63]) } else { '=' });
        }
    }
    text
}

/// Returns true if a request is one of a multipart upload or of a listing. Stores do not pass extensions on with these.
fn is_for_objects(uri: &http::Uri) -> bool {
    let mut pairs = uri.query().unwrap_or_default().split('&');
    pairs.any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        matches!(name, "uploads" | "uploadId" | "list-type") || pair == "comp=list" || pair.starts_with("comp=block")
    })
}

/// The maximum number of bytes that are read of an error's body.
const BODY_BYTES: usize = 4 << 10;

/// Reads the `<Code>` in the body, which S3, Google and Azure all send. The rest of the body may quote keys.
async fn error_name(response: HttpResponse) -> Option<String> {
    let mut body = Vec::new();
    let mut frames = response.into_body().bytes_stream();
    while let Some(Ok(frame)) = frames.next().await {
        body.extend_from_slice(&frame);
        if body.len() > BODY_BYTES {
            break;
        }
    }
    name_in(&String::from_utf8_lossy(&body))
}

/// Extracts the name of the error from the body of a response.
pub(super) fn name_in(body: &str) -> Option<String> {
    let name = body.split_once("<Code>")?.1.split_once("</Code>")?.0;
    (name.len() < 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric())).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_encoded() {
        for (plain, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("Aladdin:o s", "QWxhZGRpbjpvIHM=")]
        {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(decode("a%40b%3A%zz%"), b"a@b:%zz%");
    }
}
