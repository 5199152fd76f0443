//! Where a target's calls go: its project, its location, and the host that follows from that.

use std::fmt;

use forward::{ForwardError, Target};
use forward_http::setting;
use percent_encoding::utf8_percent_encode;

use crate::{ESCAPED, credential};

/// `/projects/{project}/locations/{location}`, as it is shown.
pub(crate) struct Place<'a> {
    project: &'a str,
    location: &'a str,
}

/// Where there is no location of its own.
const GLOBAL: &str = "global";

const HOST: &str = "aiplatform.googleapis.com";

impl<'a> Place<'a> {
    pub(crate) fn of(target: &'a Target) -> Result<Self, ForwardError> {
        let project = setting(target, "vertex_project")
            .ok_or(ForwardError::Misconfigured("its secret lacks the setting `vertex_project`"))?;
        Ok(Self { project, location: location(target)? })
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let project = utf8_percent_encode(self.project, ESCAPED);
        write!(formatter, "/projects/{project}/locations/{}", self.location)
    }
}

/// The host of a target's location. Express mode knows no other than the global one.
pub(crate) fn host(target: &Target) -> Result<String, ForwardError> {
    let location = if credential::is_express(target) { GLOBAL } else { location(target)? };
    Ok(match location {
        GLOBAL => HOST.to_owned(),
        "us" | "eu" => format!("aiplatform.{location}.rep.googleapis.com"),
        region => format!("{region}-{HOST}"),
    })
}

/// Whether it is one of Vertex AI's hosts.
pub(crate) fn is_host(host: &str) -> bool {
    let region = host.strip_suffix(HOST).and_then(|region| region.strip_suffix('-'));
    matches!(host, HOST | "aiplatform.us.rep.googleapis.com" | "aiplatform.eu.rep.googleapis.com")
        || region.is_some_and(is_plain)
}

fn location(target: &Target) -> Result<&str, ForwardError> {
    let default = if is_open(target.model.as_str()) { "us-central1" } else { GLOBAL };
    let location = setting(target, "vertex_location").unwrap_or(default);
    if is_plain(location) {
        Ok(location)
    } else {
        Err(ForwardError::Misconfigured("the `vertex_location` of its secret is not one"))
    }
}

/// One label of a host's name, so that nothing else can follow from it.
fn is_plain(location: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=40).contains(&location.len()) && location.bytes().all(plain)
}

/// Open models, which are served by region (MLflow's list, `gateway/providers`).
fn is_open(model: &str) -> bool {
    let google = model.starts_with("google/") || model.starts_with("models/");
    (model.contains('/') && !google)
        || model.ends_with("-maas")
        || ["mistral", "codestral", "jamba"].iter().any(|family| model.starts_with(family))
}
