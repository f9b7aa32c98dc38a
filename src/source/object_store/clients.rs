//! Two HTTP clients for one store: loading the system's certificates takes a tenth of a second, and plain HTTP needs none.

use std::sync::OnceLock;

use async_trait::async_trait;
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};

/// A pair of HTTP clients, of which the second is created when a request needs it.
#[derive(Debug)]
pub(super) struct Clients {
    options: ClientOptions,
    /// A client that trusts only the certificates in the options.
    plain: HttpClient,
    secure: OnceLock<HttpClient>,
}

impl Clients {
    pub(super) fn new(options: &ClientOptions) -> object_store::Result<Self> {
        let plain = ReqwestConnector::default().connect(&options.clone().with_no_system_certificates(true))?;
        Ok(Self { options: options.clone(), plain, secure: OnceLock::new() })
    }

    /// Returns the client that trusts the certificates that the options select.
    fn secure(&self) -> Result<&HttpClient, HttpError> {
        if let Some(client) = self.secure.get() {
            return Ok(client);
        }
        let made = ReqwestConnector::default().connect(&self.options);
        let made = made.map_err(|error| HttpError::new(HttpErrorKind::Request, error))?;
        Ok(self.secure.get_or_init(|| made))
    }
}

#[async_trait]
impl HttpService for Clients {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if request.uri().scheme() != Some(&http::uri::Scheme::HTTP) {
            return self.secure()?.execute(request).await;
        }
        match self.plain.execute(request.clone()).await {
            Err(error) if is_distrust(&error) => self.secure()?.execute(request).await,
            answered => answered,
        }
    }
}

/// Returns true if a certificate was refused: plain HTTP may redirect to HTTPS.
fn is_distrust(error: &HttpError) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.is::<rustls::Error>() {
            return true;
        }
        // An I/O error does not return its inner error as its source.
        next = match error.downcast_ref::<std::io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as _),
            None => error.source(),
        };
    }
    false
}
