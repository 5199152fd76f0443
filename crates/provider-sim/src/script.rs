//! What a provider is told to do with one request.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What the provider does with one request, from its head to the end of the answer. The default is a clean 200 with
/// the body that the provider would send.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// Whether, and when, it answers at all.
    pub act: Act,
    /// Waits for one passage of this gate before every read of the request's body. Meanwhile a peer that leaves is not
    /// noticed.
    pub read_gate: Option<String>,
    /// Waits before the answer's head, for this gate.
    pub head_gate: Option<String>,
    /// Waits before the answer's head, so long.
    #[serde(with = "millis")]
    pub head_delay: Duration,
    /// How many `103 Early Hints` come first (HTTP/1.1 only; the h2 crate sends none).
    pub informational: u32,
    /// The status.
    pub status: u16,
    /// The reason phrase of HTTP/1.1; the usual one if absent.
    pub reason: Option<String>,
    /// Headers after those of the body, names in the case given. A name given here replaces the provider's own.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// Whether the body is encoded with gzip.
    pub gzip: bool,
    /// How HTTP/1.1 frames the body.
    pub framing: Framing,
    /// Where the body is cut into writes.
    pub split: Split,
    /// Waits before every piece but the first, so long.
    #[serde(with = "millis")]
    pub piece_delay: Duration,
    /// Waits before every piece for one passage of this gate.
    pub piece_gate: Option<String>,
    /// Waits in the middle of the body.
    pub pause: Option<Pause>,
    /// How it ends.
    pub end: End,
    /// Bytes after the end of the answer, outside its framing (HTTP/1.1 only).
    pub extra: String,
}

/// Whether, and when, a request is answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Once its body was read.
    #[default]
    Answer,
    /// As soon as its head was read; the body is read afterwards.
    AnswerEarly,
    /// Never: it is read, and the connection stays open until the peer closes it.
    Never,
    /// The connection is closed before the body is read.
    CloseBeforeBody,
    /// The connection is closed once the body was read.
    CloseAfterBody,
    /// The connection is reset once the body was read. HTTP/2: the stream is reset.
    ResetAfterBody,
    /// HTTP/2: the stream is refused (`REFUSED_STREAM`): nothing was done. HTTP/1.1: as `CloseBeforeBody`.
    Refuse,
    /// These bytes go on the socket instead of an answer, and the connection is closed (HTTP/1.1 only).
    Raw(String),
}

/// The body of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// What the provider would send with this status.
    #[default]
    Natural,
    /// A recorded answer, by name. A recorded event stream is put into array framing where the client asked for that.
    Recording(String),
    /// This text.
    Text(String),
    /// These bytes; in JSON as `base64`.
    #[serde(rename = "base64", with = "crate::base64")]
    Bytes(Bytes),
    /// As many events of `size` bytes each, in the framing asked for; a unary answer has `chunks * size` bytes.
    Generated {
        /// How many events.
        chunks: u32,
        /// Bytes of each event, framing included. Too small a size gives the smallest possible event.
        size: usize,
    },
}

/// How HTTP/1.1 frames a body. HTTP/2 knows no such choice; there `Length` and `Wrong` give a `content-length` header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// As the provider would: event streams in chunks, everything else with its length.
    #[default]
    Natural,
    /// `content-length`.
    Length,
    /// `transfer-encoding: chunked`.
    Chunked,
    /// By the end of the connection.
    Close,
    /// A `content-length` that is so much larger (or smaller) than the body.
    Wrong(i64),
}

/// Where a body is cut into writes, each of which goes out as its own chunk (HTTP/1.1) or DATA frame (HTTP/2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Events one by one where there are any, else the whole.
    #[default]
    Natural,
    /// In one piece.
    Whole,
    /// Byte by byte.
    EveryByte,
    /// So many bytes each.
    Every(usize),
    /// At these offsets.
    At(Vec<usize>),
}

/// A wait in the middle of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// How many bytes of the body (as encoded) go before it.
    pub at: usize,
    /// The gate that is waited for.
    pub gate: String,
}

/// How an answer ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// As it should.
    #[default]
    Clean,
    /// After so many bytes of the body (as encoded).
    Cut {
        /// How many bytes go out. As many as there are, or more: the whole body, and then still this end.
        at: usize,
        /// What happens then.
        how: Cut,
    },
}

/// What happens where an answer is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// It ends as if it were complete: final chunk, a length that fits, `END_STREAM`.
    Clean,
    /// The connection is closed in order, but the answer is not: no final chunk, a length not reached. HTTP/2: the
    /// connection is closed without a word.
    Close,
    /// The connection is reset. HTTP/2: the stream is reset with `INTERNAL_ERROR`.
    Reset,
    /// Nothing more comes; the connection stays open until the peer closes it.
    Silence,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            act: Act::Answer,
            read_gate: None,
            head_gate: None,
            head_delay: Duration::ZERO,
            informational: 0,
            status: 200,
            reason: None,
            headers: Vec::new(),
            body: Body::Natural,
            gzip: false,
            framing: Framing::Natural,
            split: Split::Natural,
            piece_delay: Duration::ZERO,
            piece_gate: None,
            pause: None,
            end: End::Clean,
            extra: String::new(),
        }
    }
}

/// The short way to write a script in a test: start from one of these and chain what differs.
impl Script {
    /// The provider's own answer of that status.
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A recorded answer, status 200.
    pub fn recording(name: &str) -> Self {
        Self { body: Body::Recording(name.to_owned()), ..Self::default() }
    }

    /// Status 200 with these bytes.
    pub fn bytes(body: impl Into<Bytes>) -> Self {
        Self { body: Body::Bytes(body.into()), ..Self::default() }
    }

    /// Something other than an answer in time.
    pub fn act(act: Act) -> Self {
        Self { act, ..Self::default() }
    }

    /// With another status.
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With another framing.
    pub fn framing(self, framing: Framing) -> Self {
        Self { framing, ..self }
    }

    /// With another split.
    pub fn split(self, split: Split) -> Self {
        Self { split, ..self }
    }

    /// Cut after `at` bytes of body.
    pub fn cut(self, at: usize, how: Cut) -> Self {
        Self { end: End::Cut { at, how }, ..self }
    }

    /// Encoded with gzip.
    pub fn gzip(self) -> Self {
        Self { gzip: true, ..self }
    }

    /// Waiting for one passage of `gate` before every read of the request's body.
    pub fn gate_reads(self, gate: &str) -> Self {
        Self { read_gate: Some(gate.to_owned()), ..self }
    }

    /// Waiting for `gate` before the head.
    pub fn gate_head(self, gate: &str) -> Self {
        Self { head_gate: Some(gate.to_owned()), ..self }
    }

    /// Waiting for one passage of `gate` before every piece.
    pub fn gate_pieces(self, gate: &str) -> Self {
        Self { piece_gate: Some(gate.to_owned()), ..self }
    }

    /// Waiting for `gate` after `at` bytes of body.
    pub fn pause(self, at: usize, gate: &str) -> Self {
        Self { pause: Some(Pause { at, gate: gate.to_owned() }), ..self }
    }
}

mod millis {
    //! Durations as whole milliseconds, for scripts written as JSON.

    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}
