//! The one credential of a request: a header as it is stored, a token that is asked for first, or a signature.

use std::sync::Arc;

use forward::{ForwardError, Target};
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use secrecy::ExposeSecret as _;

use crate::{Grant, SigningKey};

/// The one credential of a request. Its value is never shown.
#[derive(Debug)]
pub struct CredentialHeader(Kind);

#[derive(Debug)]
enum Kind {
    None,
    Ready(HeaderName, HeaderValue),
    Granted(Arc<Grant>),
    Signed(Arc<SigningKey>),
}

impl CredentialHeader {
    /// No credential: for models on a machine of one's own.
    pub fn none() -> Self {
        Self(Kind::None)
    }

    /// `name: {prefix}{field}`, from the secret's field of that name; `prefix` is e.g. `Bearer ` with its space.
    pub fn from_field(
        target: &Target,
        field: &str,
        name: HeaderName,
        prefix: &str,
    ) -> Result<Self, ForwardError> {
        let mut value = HeaderValue::try_from([prefix, secret(target, field)?].concat()).map_err(|_| {
            ForwardError::Misconfigured("its secret holds characters that no header can carry")
        })?;
        value.set_sensitive(true);
        Ok(Self(Kind::Ready(name, value)))
    }

    /// `authorization: Bearer …`, with a token that `grant` says how to get.
    pub fn granted(grant: Grant) -> Self {
        Self(Kind::Granted(Arc::new(grant)))
    }

    /// A signature over the request, body and all: the body is held until it is whole.
    pub fn signed(key: SigningKey) -> Self {
        Self(Kind::Signed(Arc::new(key)))
    }

    /// How its token is got, where it is one.
    pub(crate) fn grant(&self) -> Option<&Arc<Grant>> {
        match &self.0 {
            Kind::Granted(grant) => Some(grant),
            _ => None,
        }
    }

    /// What it signs with, where it signs.
    pub(crate) fn signing_key(&self) -> Option<&SigningKey> {
        match &self.0 {
            Kind::Signed(key) => Some(key),
            _ => None,
        }
    }

    /// Puts it among a request's headers, as the only one of its name. A token comes from outside, where there is one;
    /// signatures are made later, over all that goes out.
    pub(crate) fn put(&self, headers: &mut HeaderMap, token: Option<&HeaderValue>) {
        match (&self.0, token) {
            (Kind::Ready(name, value), _) => drop(headers.insert(name.clone(), value.clone())),
            (Kind::Granted(_), Some(token)) => drop(headers.insert(AUTHORIZATION, token.clone())),
            (Kind::Granted(_), None) | (Kind::None | Kind::Signed(_), _) => {}
        }
    }
}

/// A field of the target's secret, without outer white space.
///
/// # Errors
/// [`ForwardError::Misconfigured`] where it is not there or blank.
pub fn secret<'a>(target: &'a Target, field: &str) -> Result<&'a str, ForwardError> {
    secret_if_any(target, field)
        .ok_or(ForwardError::Misconfigured("its secret lacks the field that the provider needs"))
}

/// A field of the target's secret, where it says anything.
pub fn secret_if_any<'a>(target: &'a Target, field: &str) -> Option<&'a str> {
    let secret = target.credential.fields.get(field)?.expose_secret().trim();
    Some(secret).filter(|secret| !secret.is_empty())
}

/// A setting of the target's secret, where it says anything.
pub fn setting<'a>(target: &'a Target, name: &str) -> Option<&'a str> {
    target.settings.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}
