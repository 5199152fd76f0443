//! How a token is got: what a provider's room says of it, and no I/O.
//!
//! Sources: RFC 6749 (sections 4.4, 5.1, 5.2, 6), RFC 7523 (section 2.1), RFC 7519, RFC 7515 appendix A.2.

use std::{fmt, time::Duration};

use aws_lc_rs::{digest, rand, rsa, signature};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use forward::ForwardError;
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

/// A form that is posted to an identity service, whose answer is a token (RFC 6749 section 5.1). `Debug` shows the address
/// alone.
pub struct Grant {
    url: String,
    fields: Vec<(&'static str, SecretString)>,
    assertion: Option<Assertion>,
}

/// How long an assertion may be used: the longest that Google takes.
const ASSERTED_FOR: Duration = Duration::from_hours(1);

impl Grant {
    /// A form for this address, an absolute URL without a query. It is checked as a target's base is, and its host must be
    /// among the provider's [`token_hosts`](crate::Wire::token_hosts) or those that the secret may be sent to.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), fields: Vec::new(), assertion: None }
    }

    /// With a field.
    pub fn field(mut self, name: &'static str, value: impl Into<SecretString>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// With a field `assertion` that is made anew each time.
    pub fn asserting(self, assertion: Assertion) -> Self {
        Self { assertion: Some(assertion), ..self }
    }

    /// A grant of client credentials (RFC 6749 section 4.4), with the client's secret in the form.
    pub fn client_credentials(url: impl Into<String>, id: &str, secret: &str, scope: &str) -> Self {
        Self::new(url)
            .field("grant_type", "client_credentials")
            .field("client_id", id)
            .field("client_secret", secret)
            .field("scope", scope)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The form as it goes out at this time of day.
    pub(crate) fn body(&self, now: Duration) -> Result<String, ForwardError> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.fields {
            form.append_pair(name, value.expose_secret());
        }
        if let Some(assertion) = &self.assertion {
            form.append_pair("assertion", &assertion.made(now)?);
        }
        Ok(form.finish())
    }

    /// The same for the same grant only: what tells tokens of one secret apart when its settings change.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let mut context = digest::Context::new(&digest::SHA256);
        let mut add = |text: &str| {
            context.update(&text.len().to_be_bytes());
            context.update(text.as_bytes());
        };
        add(&self.url);
        for (name, value) in &self.fields {
            add(name);
            add(value.expose_secret());
        }
        if let Some(Assertion { issuer, audience, scope, key_id, fingerprint, .. }) = &self.assertion {
            for text in [issuer, audience, scope, key_id, fingerprint] {
                add(text);
            }
        }
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(context.finish().as_ref());
        fingerprint
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Grant").field("url", &self.url).finish_non_exhaustive()
    }
}

/// What a service account says of itself, signed with its RSA key (RFC 7523). No `Debug`.
pub struct Assertion {
    issuer: String,
    audience: String,
    scope: String,
    key_id: String,
    /// Of the private key, by its public half.
    fingerprint: String,
    key: rsa::KeyPair,
}

impl Assertion {
    /// `key` is an RSA private key in PKCS #8, as PEM; `key_id` may be empty.
    pub fn new(
        issuer: &str,
        audience: &str,
        scope: &str,
        key_id: &str,
        key: &str,
    ) -> Result<Self, ForwardError> {
        let unusable = ForwardError::Misconfigured("its secret's private key cannot be used");
        let Ok(PrivateKeyDer::Pkcs8(der)) = PrivateKeyDer::from_pem_slice(key.as_bytes()) else {
            return Err(unusable);
        };
        let key = rsa::KeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| unusable)?;
        let public = signature::KeyPair::public_key(&key);
        let fingerprint = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, public.as_ref()));
        let [issuer, audience, scope, key_id] = [issuer, audience, scope, key_id].map(str::to_owned);
        Ok(Self { issuer, audience, scope, key_id, fingerprint, key })
    }

    fn made(&self, now: Duration) -> Result<String, ForwardError> {
        let mut header = json!({"alg": "RS256", "typ": "JWT"});
        if !self.key_id.is_empty() {
            header["kid"] = json!(self.key_id);
        }
        let claims = json!({
            "iss": self.issuer,
            "scope": self.scope,
            "aud": self.audience,
            "iat": now.as_secs(),
            "exp": (now + ASSERTED_FOR).as_secs(),
        });
        let encoded = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut token = format!("{}.{}", encoded(header), encoded(claims));
        let mut signed = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&signature::RSA_PKCS1_SHA256, &rand::SystemRandom::new(), token.as_bytes(), &mut signed)
            .map_err(|_| ForwardError::Internal)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signed, &mut token);
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn key() -> (String, Vec<u8>) {
        use aws_lc_rs::encoding::AsDer as _;
        let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(der.as_ref())
        );
        (pem, signature::KeyPair::public_key(&pair).as_ref().to_vec())
    }

    #[test]
    fn an_assertion_is_signed_and_says_who_for_whom_and_until_when() {
        let (pem, public) = key();
        let assertion = Assertion::new("me@example", "https://a/token", "all", "k1", &pem).unwrap();
        let made = assertion.made(Duration::from_secs(1_000)).unwrap();
        let (said, signed) = made.rsplit_once('.').unwrap();
        let public = signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, &public);
        public.verify(said.as_bytes(), &URL_SAFE_NO_PAD.decode(signed).unwrap()).unwrap();
        let (header, claims) = said.split_once('.').unwrap();
        let read = |part: &str| -> serde_json::Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        assert_eq!(read(header), json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}));
        let claimed =
            json!({"iss": "me@example", "aud": "https://a/token", "scope": "all", "iat": 1000, "exp": 4600});
        assert_eq!(read(claims), claimed);
    }

    #[test]
    fn a_key_that_is_none_is_said_to_be_unusable() {
        for key in ["", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            let refused = Assertion::new("i", "a", "s", "", key).map(drop);
            assert!(matches!(refused, Err(ForwardError::Misconfigured(_))));
        }
    }

    #[test]
    fn a_form_is_encoded_and_its_secret_never_shown() {
        let grant = Grant::client_credentials("https://a/token", "id", "s+ &Canary", "x/.default");
        assert_eq!(
            grant.body(Duration::ZERO).unwrap(),
            "grant_type=client_credentials&client_id=id&client_secret=s%2B+%26Canary&scope=x%2F.default"
        );
        assert!(!format!("{grant:?}").contains("Canary"));
    }

    #[test]
    fn what_differs_in_anything_has_another_fingerprint() {
        let one =
            |id: &str, secret: &str| Grant::client_credentials("https://a", id, secret, "s").fingerprint();
        assert_eq!(one("ab", "c"), one("ab", "c"));
        assert_ne!(one("ab", "c"), one("a", "bc"));
        let other = Grant::client_credentials("https://b", "ab", "c", "s").fingerprint();
        assert_ne!(one("ab", "c"), other);
    }
}
