//! AWS's Signature Version 4: the request, its body's hash among it, signed with a key made of date, region and service.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

use std::{fmt, fmt::Write as _, time::Duration};

use aws_lc_rs::{digest, hmac};
use forward::ForwardError;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};

/// What is signed with, and for where. `Debug` shows where alone.
pub struct SigningKey {
    access_key: String,
    secret: SecretString,
    session: Option<HeaderValue>,
    region: String,
    service: &'static str,
}

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SESSION: HeaderName = HeaderName::from_static("x-amz-security-token");
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Everything that is escaped in the canonical path: all but RFC 3986's unreserved characters and `/`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

impl SigningKey {
    /// A key for that region and service; `session` belongs to a temporary one.
    pub fn new(
        access_key: &str,
        secret: &str,
        session: Option<&str>,
        region: &str,
        service: &'static str,
    ) -> Result<Self, ForwardError> {
        let unfit = ForwardError::Misconfigured("its secret holds characters that no header can carry");
        if access_key.is_empty() || !access_key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(unfit);
        }
        let session = session.map(|session| {
            let mut session = HeaderValue::try_from(session).map_err(|_| unfit.clone())?;
            session.set_sensitive(true);
            Ok(session)
        });
        Ok(Self {
            access_key: access_key.to_owned(),
            secret: secret.into(),
            session: session.transpose()?,
            region: region.to_owned(),
            service,
        })
    }

    /// Signs a request for `host`: sets the headers of the time, of the session, and of the signature. `body` is the
    /// SHA-256 of what is sent. `path` is percent-encoded once, as it goes out.
    pub(crate) fn sign(
        &self,
        (method, path, query): (&Method, &str, Option<&str>),
        host: &str,
        headers: &mut HeaderMap,
        body: &[u8],
        now: Duration,
    ) -> Result<(), ForwardError> {
        let time = time(now);
        headers.insert(DATE, HeaderValue::try_from(&time).map_err(|_| ForwardError::Internal)?);
        headers.remove(SESSION);
        if let Some(session) = &self.session {
            headers.insert(SESSION, session.clone());
        }
        let signed = signed(headers, host)?;
        let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines =
            signed.iter().fold(String::new(), |lines, (name, value)| lines + name + ":" + value + "\n");
        let (path, query) = (utf8_percent_encode(path, ESCAPED), canonical_query(query));
        let request = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{}", hex(body));
        let scope = [&time[..8], &self.region, self.service, "aws4_request"];
        let hashed = hex(digest::digest(&digest::SHA256, request.as_bytes()).as_ref());
        let to_sign = format!("{ALGORITHM}\n{time}\n{}\n{hashed}", scope.join("/"));
        let signature = hex(self.hmac(scope, &to_sign).as_ref());
        let value = format!(
            "{ALGORITHM} Credential={}/{}, SignedHeaders={names}, Signature={signature}",
            self.access_key,
            scope.join("/")
        );
        let mut value = HeaderValue::try_from(value).map_err(|_| ForwardError::Internal)?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    fn hmac(&self, scope: [&str; 4], text: &str) -> hmac::Tag {
        let sign =
            |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
        let first = ["AWS4", self.secret.expose_secret()].concat().into_bytes();
        let key = scope.iter().fold(first, |key, part| sign(&key, part).as_ref().to_vec());
        sign(&key, text)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, service, .. } = self;
        formatter
            .debug_struct("SigningKey")
            .field("region", region)
            .field("service", service)
            .finish_non_exhaustive()
    }
}

/// The headers that are signed, in the order of their names: those that no hop on the way may change.
fn signed<'a>(headers: &'a HeaderMap, host: &str) -> Result<Vec<(&'a str, String)>, ForwardError> {
    let mut signed = vec![("host", host.to_owned())];
    for name in headers.keys().filter(|name| *name == CONTENT_TYPE || name.as_str().starts_with("x-amz-")) {
        let values: Result<Vec<_>, _> = headers.get_all(name).iter().map(HeaderValue::to_str).collect();
        let values = values.map_err(|_| ForwardError::RequestBroken)?;
        let plain = |value: &&str| value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        signed.push((name.as_str(), values.iter().map(plain).collect::<Vec<_>>().join(",")));
    }
    signed.sort_unstable();
    Ok(signed)
}

/// The pairs in the order of their names and values, each with its `=`.
fn canonical_query(query: Option<&str>) -> String {
    let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<_> = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    pairs.sort_unstable();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// `YYYYMMDDTHHMMSSZ`.
fn time(now: Duration) -> String {
    let seconds = now.as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March, eras have 400 of them.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * day + 2) / 153;
    let day = day - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing into a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
