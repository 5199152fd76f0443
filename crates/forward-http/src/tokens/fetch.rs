//! Asks an identity service for a token: one form out, one small JSON object in, under one limit of time.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use fault::chain;
use forward::ForwardError;
use http::{
    HeaderValue, Method, Request, StatusCode, Uri,
    header::{ACCEPT, CONTENT_TYPE},
};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    Grant,
    clock::Clock,
    error::from_client,
    pool::Pool,
    upload::{Outgoing, Progress},
};

/// The longest answer that is read, in bytes; a token has up to a few thousand.
const ANSWER_MAX: usize = 64 << 10;

const UNREADABLE: ForwardError = ForwardError::Unreachable("its identity service's answer cannot be read");

/// Gets a token, however that is done.
#[async_trait::async_trait]
pub(crate) trait Fetch: Send + Sync + 'static {
    /// A new token, or why there is none. Ends by itself.
    async fn fetch(&self) -> Result<Fetched, ForwardError>;
}

/// A token that came.
pub(crate) struct Fetched {
    pub(crate) header: HeaderValue,
    /// From `asked_at` on.
    pub(crate) good_for: Option<Duration>,
    pub(crate) asked_at: Instant,
}

/// Asks over the secret's own connections.
pub(crate) struct Http {
    pub(crate) grant: Arc<Grant>,
    pub(crate) uri: Uri,
    pub(crate) pool: Arc<Pool>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) within: Duration,
    /// For the log.
    pub(crate) secret: String,
}

#[async_trait::async_trait]
impl Fetch for Http {
    async fn fetch(&self) -> Result<Fetched, ForwardError> {
        let came = tokio::time::timeout(self.within, self.ask()).await;
        let came = came.unwrap_or(Err(Failure::Slow));
        came.map_err(|failure| self.told(&failure))
    }
}

/// Why there is no token. `code` is what RFC 6749 section 5.2 has, never a description: those repeat what was sent.
enum Failure {
    Unmade(ForwardError),
    Unsent(ForwardError, String),
    Slow,
    Unread,
    Refused { status: StatusCode, code: String },
}

/// What a token's answer has (RFC 6749 section 5.1).
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Option<Seconds>,
}

/// Some services write the number as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(f64),
    Text(String),
}

#[derive(Deserialize)]
struct Refused {
    #[serde(default)]
    error: String,
}

impl Http {
    async fn ask(&self) -> Result<Fetched, Failure> {
        let asked_at = Instant::now();
        let request = self.request().map_err(Failure::Unmade)?;
        let response = self.pool.request(request).await;
        let response = response.map_err(|error| Failure::Unsent(from_client(&error), chain(&error)))?;
        let (status, body) = (response.status(), read(response.into_body()).await?);
        if !status.is_success() {
            let code = serde_json::from_slice::<Refused>(&body).map(|refused| refused.error);
            return Err(Failure::Refused { status, code: code.map(plain).unwrap_or_default() });
        }
        let Granted { access_token, expires_in } =
            serde_json::from_slice(&body).map_err(|_| Failure::Unread)?;
        let token = access_token.trim();
        let header = HeaderValue::try_from(["Bearer ", token].concat());
        let mut header = header.ok().filter(|_| !token.is_empty()).ok_or(Failure::Unread)?;
        header.set_sensitive(true);
        Ok(Fetched { header, good_for: expires_in.and_then(Seconds::duration), asked_at })
    }

    fn request(&self) -> Result<Request<Outgoing>, ForwardError> {
        let body = self.grant.body(self.clock.since_epoch())?;
        let length = body.len() as u64;
        let body = Outgoing::new(forward::full(body), Some(length), Progress::begin(None));
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Ok(request)
    }

    /// The seam's error; the operator is told here, once for all calls that wait.
    fn told(&self, failure: &Failure) -> ForwardError {
        let secret = self.secret.as_str();
        match failure {
            Failure::Unmade(error) => error.clone(),
            Failure::Refused { status, code } if is_final(*status) => {
                tracing::warn!(
                    secret,
                    status = status.as_u16(),
                    code,
                    "an identity service refuses a secret"
                );
                ForwardError::KeyRefused("its identity service refuses its secret")
            }
            Failure::Refused { status, code } => {
                tracing::warn!(secret, status = status.as_u16(), code, "an identity service gives no token");
                ForwardError::Unreachable("its identity service gives no token")
            }
            Failure::Unsent(error, cause) => {
                tracing::warn!(secret, kind = error.kind(), cause, "an identity service cannot be reached");
                match error {
                    ForwardError::DestinationBlocked => ForwardError::DestinationBlocked,
                    // Whatever broke there, the provider itself was asked nothing.
                    _ => ForwardError::Unreachable("its identity service could not be reached"),
                }
            }
            Failure::Slow => {
                tracing::warn!(secret, "an identity service is too slow");
                ForwardError::Unreachable("its identity service did not answer in time")
            }
            Failure::Unread => {
                tracing::warn!(secret, "an identity service's answer cannot be read");
                UNREADABLE
            }
        }
    }
}

/// Whether it will be refused again until somebody changes the secret.
fn is_final(status: StatusCode) -> bool {
    status.is_client_error() && !matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}

async fn read(body: Incoming) -> Result<Bytes, Failure> {
    let collected = Limited::new(body, ANSWER_MAX).collect().await;
    Ok(collected.map_err(|_| Failure::Unread)?.to_bytes())
}

/// A code of the specification's letters, for the log.
fn plain(code: String) -> String {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    if code.len() <= 64 && code.bytes().all(letter) { code } else { "unreadable".to_owned() }
}

impl Seconds {
    fn duration(self) -> Option<Duration> {
        let seconds = match self {
            Self::Number(number) => number,
            Self::Text(text) => text.trim().parse().ok()?,
        };
        Duration::try_from_secs_f64(seconds).ok()
    }
}
