//! The HTTP client under the stores: failed statuses become errors that keep what matters of the response.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};

use super::clients::Clients;

/// Marks the requests for an object, among those for credentials and regions.
#[derive(Clone, Copy, Debug)]
pub(super) struct ForObject;

/// A response that is no success.
#[derive(Clone, Debug)]
pub(super) struct Status {
    pub(super) code: u16,
    /// The store's own name of the error, such as `NoSuchKey`.
    pub(super) name: Option<String>,
    pub(super) retry_after: Option<Duration>,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = http::StatusCode::from_u16(self.code).ok().and_then(|code| code.canonical_reason());
        write!(f, "the server answered {} {}", self.code, reason.unwrap_or(""))?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

impl std::error::Error for Status {}

/// Makes clients whose failed responses are [`Status`] errors.
#[derive(Clone, Debug, Default)]
pub(super) struct Connector {
    /// Used by every store if there is one, so that connections are shared.
    pub(super) shared: Option<HttpClient>,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        match &self.shared {
            Some(client) => Ok(client.clone()),
            None => Ok(HttpClient::new(Service(HttpClient::new(Clients::new(options)?)))),
        }
    }
}

#[derive(Debug)]
struct Service(HttpClient);

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let for_object = request.extensions().get::<ForObject>().is_some() || is_for_objects(request.uri());
        let response = self.0.execute(request).await?;
        if !for_object || response.status().is_success() {
            return Ok(response);
        }
        let code = response.status().as_u16();
        let header = response.headers().get(http::header::RETRY_AFTER);
        let seconds = header.and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
        let name = error_name(response).await;
        let status = Status { code, name, retry_after: seconds.map(Duration::from_secs) };
        Err(HttpError::new(HttpErrorKind::Unknown, status))
    }
}

/// Whether a request is one of a multipart upload or of a listing. Stores pass no extensions on with these.
fn is_for_objects(uri: &http::Uri) -> bool {
    let mut pairs = uri.query().unwrap_or_default().split('&');
    pairs.any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        matches!(name, "uploads" | "uploadId" | "list-type") || pair == "comp=list" || pair.starts_with("comp=block")
    })
}

/// More of an error's body is not read.
const BODY_BYTES: usize = 4 << 10;

/// The `<Code>` in the body, which S3, Google and Azure all have. The rest of the body may quote keys.
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

/// The name of the error in the body of a response.
pub(super) fn name_in(body: &str) -> Option<String> {
    let name = body.split_once("<Code>")?.1.split_once("</Code>")?.0;
    (name.len() < 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric())).then(|| name.to_owned())
}
