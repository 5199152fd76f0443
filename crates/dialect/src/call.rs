//! What a client asked for, as its method, path and query say it.

use names::EndpointName;

use crate::Operation;

/// Whose language the client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Google's Gemini API (`generativelanguage.googleapis.com`).
    Gemini,
    /// OpenAI's API.
    OpenAi,
    /// Anthropic's API.
    Anthropic,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 3] = [Self::Gemini, Self::OpenAi, Self::Anthropic];

    /// The word for this dialect in paths, metrics and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gemini => "gemini",
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
        }
    }

    /// The dialect of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == word)
    }
}

/// The API version in the client's path, forwarded as it was sent unless the endpoint pins one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// `v1`
    V1,
    /// `v1beta`
    V1Beta,
    /// `v1alpha`
    V1Alpha,
}

impl Version {
    /// The version of a path that states none. Of Google's versions `v1beta` is the one that knows every model and every
    /// field, and the one that clients which could leave it out were written against.
    pub const UNSTATED: Self = Self::V1Beta;

    /// Takes a path segment.
    pub fn parse(segment: &str) -> Option<Self> {
        match segment {
            "v1" => Some(Self::V1),
            "v1beta" => Some(Self::V1Beta),
            "v1alpha" => Some(Self::V1Alpha),
            _ => None,
        }
    }

    /// The path segment.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V1Beta => "v1beta",
            Self::V1Alpha => "v1alpha",
        }
    }
}

/// Where the call names its endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// In the path, where the model stood.
    Path(EndpointName),
    /// In the path before the dialect (`/gateway/{endpoint}/openai/…`) or behind `/gateway/proxy`. It wins over all else.
    Prefix(EndpointName),
    /// In the body's `model` field, still to be read, unless a header names it.
    Body,
    /// In a header or nowhere: neither path nor body have a place for it.
    Header,
}

/// How the answer is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// One body, whole.
    Unary,
    /// Server-sent events (WHATWG HTML, section 9.2).
    Sse,
    /// One JSON array, element by element: Gemini streams without `alt=sse`.
    JsonArray,
    /// The body says, in its `stream` field, still to be read.
    InBody,
    /// Whatever comes, of any length: a file, audio, events whose end has no mark. Only a transport break counts.
    Open,
}

impl Framing {
    /// Every framing that a call can have once its body was read.
    pub const SETTLED: [Self; 4] = [Self::Unary, Self::Sse, Self::JsonArray, Self::Open];
}

/// One call, parsed from method, path and query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Whose language the client speaks; also the language of every refusal.
    pub dialect: Dialect,
    /// The version in the path; means nothing for [`Operation::Proxy`].
    pub version: Version,
    /// What is asked.
    pub operation: Operation,
    /// What follows the version in the path, or all of a proxied one: begins with `/`, as the client wrote it, and holds
    /// nothing that could be normalised into another path. None where the model stands in the path.
    pub path: Option<String>,
    /// Where the endpoint's name stands.
    pub named: Named,
    /// How the answer is framed.
    pub framing: Framing,
    /// Whether it came by a route that promises every provider, whatever it speaks: those below `mlflow`.
    pub unified: bool,
}

/// Why a path is not a call. Messages are for the caller and never echo the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path or the query is malformed or plays tricks: escaped dot segments, control characters, double encoding.
    #[error("the path or its query is malformed: {0}")]
    Malformed(&'static str),
    /// A dot segment or an empty segment stands in the path in the clear. It is not resolved, so it leads nowhere.
    #[error("no such path here: empty segments and dot segments are not resolved")]
    NotNormal,
    /// Well formed, but nothing Keyward routes.
    #[error("no such path here")]
    NoSuchPath,
    /// A method after the colon of a model that Keyward does not route.
    #[error("the method after the colon is not one that is routed here")]
    NoSuchMethod,
    /// The name between `models/` and the last colon cannot be an endpoint's.
    #[error("no endpoint can have such a name")]
    NoSuchEndpoint,
    /// The path takes other HTTP methods: these.
    #[error("this path takes {0}, in upper case")]
    Method(&'static str),
}

impl PathError {
    /// What it is called on every face.
    pub const fn fault(self) -> fault::Fault {
        match self {
            Self::Malformed(_) => fault::Fault::BadRequest,
            Self::NotNormal | Self::NoSuchPath | Self::NoSuchMethod | Self::NoSuchEndpoint => {
                fault::Fault::NotFound
            }
            Self::Method(_) => fault::Fault::MethodNotAllowed,
        }
    }
}
