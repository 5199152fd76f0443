//! What crosses the seam.

use std::time::Duration;

use dialect::{Framing, Operation, Version};
use http::{HeaderMap, Method, StatusCode};
use names::{EndpointName, MappingId, RequestId};

use crate::Body;

/// One attempt of one call at one target. It names the target; it holds no URL, host or credential of a provider.
pub struct Call {
    /// Everything but the body.
    pub head: Head,
    /// The request's body, untouched: the forwarder makes the head's [`Splice`]s.
    pub body: Body,
}

/// Everything of a call but its body.
#[derive(Debug, Clone)]
pub struct Head {
    /// The id of the client's request, the same for every attempt.
    pub request_id: RequestId,
    /// The endpoint that was called.
    pub endpoint: EndpointName,
    /// The target: one of the endpoint's mappings. The forwarder looks it up in its own state.
    pub mapping: MappingId,
    /// The catalog's revision under which the edge planned this attempt.
    pub revision: u64,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// What is asked.
    pub operation: Operation,
    /// The version in the client's path.
    pub version: Version,
    /// What follows the version in the client's path, or all of a proxied one: begins with `/`, holds nothing that could be
    /// normalised into another path. None where the model stands in the path.
    pub path: Option<String>,
    /// How the answer is to be framed; never [`Framing::InBody`] here.
    pub framing: Framing,
    /// The client's method.
    pub method: Method,
    /// The client's query, byte for byte, less credentials.
    pub query: Option<String>,
    /// The client's headers, less credentials. The forwarder builds the provider's from families it allows.
    pub headers: HeaderMap,
    /// Length of the body in bytes, where it is known; without the splices.
    pub content_length: Option<u64>,
    /// Where the target's model is put into the body, in order and apart from each other.
    pub splices: Vec<Splice>,
    /// How long to wait for what.
    pub limits: Limits,
}

/// One place of a request's body where the target's model goes. The edge says where; what goes there the forwarder knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Splice {
    /// Where it begins, in bytes from the body's beginning.
    pub at: u64,
    /// How many bytes it replaces.
    pub length: u64,
    /// How the model is written there.
    pub form: SpliceForm,
}

/// How a model is written into a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpliceForm {
    /// Between the quotes of a JSON text.
    Json,
    /// As it is: the value of a form's field.
    Text,
    /// As a member of a JSON object, `"model":"…"`.
    Member {
        /// Whether no other member follows, so that there is no comma.
        last: bool,
    },
}

/// How long to wait for what. A hint of the client can only shorten these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Name look-up, TCP and TLS together.
    pub connect: Duration,
    /// From the request's last byte to the provider's status line.
    pub first_byte: Duration,
    /// Between two reads of the answer's body.
    pub idle: Duration,
    /// From start to end; only for calls that do not stream.
    pub total: Option<Duration>,
}

/// A provider's answer.
#[derive(Debug)]
pub struct Answer {
    /// The provider's status, whatever it is.
    pub status: StatusCode,
    /// The provider's headers, less those of the connection and of families that are not passed on.
    pub headers: HeaderMap,
    /// The body as it arrives.
    pub body: Body,
}
