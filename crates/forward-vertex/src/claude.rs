//! Anthropic's models at Vertex AI: the model in the path, the version in the body.

use bytes::Bytes;
use dialect::{
    Framing, Operation,
    body::members::{Piece, edited},
};
use forward::{ForwardError, Head, Target};
use forward_http::setting;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::utf8_percent_encode;

use crate::{ESCAPED, NOT_SPOKEN, place::Place};

const VERSION_HEADER: HeaderName = HeaderName::from_static("anthropic-version");
const BETA_HEADER: HeaderName = HeaderName::from_static("anthropic-beta");

/// What Vertex AI calls the version that Anthropic calls [`FIRST`].
const VERSION: &str = "vertex-2023-10-16";
const FIRST: &str = "2023-06-01";

pub(crate) fn path(head: &Head, target: &Target) -> Result<String, ForwardError> {
    let (model, method) = match (head.operation, head.framing) {
        (Operation::Messages, Framing::Sse) => (target.model.as_str(), "streamRawPredict"),
        (Operation::Messages, _) => (target.model.as_str(), "rawPredict"),
        (Operation::MessagesCountTokens, _) => ("count-tokens", "rawPredict"),
        _ => return Err(NOT_SPOKEN),
    };
    let model = utf8_percent_encode(model.strip_prefix("anthropic/").unwrap_or(model), ESCAPED);
    Ok(format!("{}/publishers/anthropic/models/{model}:{method}", Place::of(target)?))
}

/// Leaves out the header of the version, which the body says, and betas that are not on the target's list.
pub(crate) fn complete(target: &Target, headers: &mut HeaderMap) {
    headers.remove(VERSION_HEADER);
    let Some(listed) = setting(target, "vertex_anthropic_betas") else { return };
    let listed: Vec<_> = listed.split(',').map(str::trim).collect();
    let sent = headers.get_all(BETA_HEADER).iter().filter_map(|value| value.to_str().ok());
    let sent = sent.flat_map(|value| value.split(',')).map(str::trim).filter(|beta| listed.contains(beta));
    let passing = sent.collect::<Vec<_>>().join(",");
    headers.remove(BETA_HEADER);
    if let Some(passing) = HeaderValue::try_from(passing).ok().filter(|passing| !passing.is_empty()) {
        headers.insert(BETA_HEADER, passing);
    }
}

pub(crate) fn rewrite(head: &Head, body: &Bytes) -> Result<Vec<Bytes>, ForwardError> {
    let said = head.headers.get(VERSION_HEADER).and_then(|value| value.to_str().ok());
    let version = said.filter(|said| *said != FIRST).unwrap_or(VERSION);
    let version = serde_json::to_string(version).map_err(|_| ForwardError::Internal)?;
    let without: &[&str] = if head.operation == Operation::Messages { &["model"] } else { &[] };
    let pieces = edited(body, without, &[("anthropic_version", version)]);
    let pieces = pieces.map_err(|_| ForwardError::RequestBroken)?.into_iter();
    Ok(pieces
        .map(|piece| match piece {
            Piece::Kept(range) => body.slice(range),
            Piece::Put(text) => Bytes::from(text),
        })
        .collect())
}
