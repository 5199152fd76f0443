//! What a secret shows: a token for a service account or a user, or the key of express mode.

use forward::{ForwardError, Target};
use forward_http::{Assertion, CredentialHeader, Grant, secret, secret_if_any};
use http::HeaderName;
use serde::Deserialize;

const KEY_HEADER: HeaderName = HeaderName::from_static("x-goog-api-key");

/// Everything that the caller's role allows; what that is, is the project's to say.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Where a credential that names no address is shown.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// The JSON that Google gives out.
///
/// Sources: <https://developers.google.com/identity/protocols/oauth2/service-account>, `/oauth2/native-app#offline`.
#[derive(Deserialize)]
struct Written {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    client_email: String,
    #[serde(default)]
    private_key: String,
    #[serde(default)]
    private_key_id: String,
    token_uri: Option<String>,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
    #[serde(default)]
    refresh_token: String,
}

/// Whether the secret is a key of express mode.
pub(crate) fn is_express(target: &Target) -> bool {
    secret_if_any(target, "vertex_credentials").is_none() && secret_if_any(target, "api_key").is_some()
}

pub(crate) fn of(target: &Target) -> Result<CredentialHeader, ForwardError> {
    if is_express(target) {
        return CredentialHeader::from_field(target, "api_key", KEY_HEADER, "");
    }
    let unreadable =
        ForwardError::Misconfigured("its secret's `vertex_credentials` are not a credential's JSON");
    let written: Written =
        serde_json::from_str(secret(target, "vertex_credentials")?).map_err(|_| unreadable.clone())?;
    let token_uri = written.token_uri.as_deref().unwrap_or(TOKEN_URI);
    let grant = match written.kind.as_str() {
        "service_account" => {
            let Written { client_email, private_key, private_key_id, .. } = &written;
            let assertion = Assertion::new(client_email, token_uri, SCOPE, private_key_id, private_key)?;
            Grant::new(token_uri)
                .field("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
                .asserting(assertion)
        }
        "authorized_user" => Grant::new(token_uri)
            .field("grant_type", "refresh_token")
            .field("client_id", written.client_id)
            .field("client_secret", written.client_secret)
            .field("refresh_token", written.refresh_token),
        "external_account" => {
            return Err(ForwardError::Misconfigured("workload identity federation is not built"));
        }
        _ => return Err(unreadable),
    };
    Ok(CredentialHeader::granted(grant))
}
