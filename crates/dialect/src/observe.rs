//! Reads an answer's bytes on the side, as they pass: has it ended as it should, where does an event end, what was used.

#[cfg(test)]
mod other_dialects;
mod scan;
mod sse;
mod table;

use scan::Scanner;
use sse::Events;
pub(crate) use table::{Count, Mark, Row, Table, Then};

use crate::{Framing, Operation};

/// Token counts as the provider reported them last. Absent is unknown, never zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt as the provider counts them: with cached ones, but for Anthropic, who counts those apart.
    pub input: Option<u64>,
    /// Tokens of the answer, thoughts not included where the provider counts them apart.
    pub output: Option<u64>,
    /// Tokens of the prompt that were read from a cache.
    pub cached: Option<u64>,
    /// Tokens of thoughts (reasoning).
    pub thoughts: Option<u64>,
    /// Tokens of tool use in the prompt.
    pub tool_use: Option<u64>,
}

/// What is known of an answer once its last byte came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// The mark of a complete answer was seen, and nothing was left open.
    Complete,
    /// The answer ended without its mark or inside an event: it must not end cleanly toward the client.
    Broken,
    /// The provider itself reported an error inside the stream; it was passed on, the stream is still not complete.
    ProviderError,
    /// The mark cannot be read here (field mask, encoded body) or there is none (a unary body that is not whole JSON): only
    /// a transport break counts.
    Unreadable,
}

/// Watches one answer. Fed every byte in order, at any cut, it holds back nothing and keeps nothing: its state has a fixed
/// size of a few hundred bytes, so that an event without end needs no limit here.
#[derive(Debug)]
pub struct Observer {
    reader: Reader,
    readable: bool,
}

#[derive(Debug)]
enum Reader {
    Events(Events),
    /// One value, or an array of them.
    Value(Scanner, Framing),
    /// Bytes of which only it is known whether there were any.
    Opaque {
        started: bool,
    },
}

impl Observer {
    /// An observer for the answer of `operation`, framed as `framing`. `readable` is false where completeness cannot be
    /// read from the answer although its framing can: a `fields` mask in the query. See [`Observer::opaque`] for the rest.
    pub fn new(operation: Operation, framing: Framing, readable: bool) -> Self {
        let reader = match (framing, operation.answers()) {
            (Framing::Sse, Some(table)) => Reader::Events(Events::new(table)),
            (Framing::Unary | Framing::JsonArray, Some(table)) => Reader::Value(Scanner::new(table), framing),
            (Framing::InBody | Framing::Open, _) | (_, None) => Reader::Opaque { started: false },
        };
        Self { reader, readable }
    }

    /// An observer for an answer whose bytes are not the dialect's text: an encoded body, `alt=proto`.
    pub fn opaque() -> Self {
        Self { reader: Reader::Opaque { started: false }, readable: false }
    }

    /// Takes the next bytes of the answer.
    pub fn observe(&mut self, bytes: &[u8]) {
        match &mut self.reader {
            Reader::Events(events) => events.observe(bytes),
            Reader::Value(scanner, _) => scanner.feed(bytes),
            Reader::Opaque { started } => *started |= !bytes.is_empty(),
        }
    }

    /// Whether a frame of our own may follow the last byte: it ended an event or an element, or nothing was seen yet, and
    /// the answer has not ended by itself, with its last bracket or with an error of the provider's.
    pub fn at_boundary(&self) -> bool {
        match &self.reader {
            Reader::Events(events) => events.at_boundary() && !events.found().failed,
            Reader::Value(scanner, Framing::JsonArray) => {
                !scanner.started() || (scanner.after_element() && !scanner.found().failed)
            }
            Reader::Value(..) | Reader::Opaque { .. } => !self.started(),
        }
    }

    /// Whether any element or event was begun.
    pub fn started(&self) -> bool {
        match &self.reader {
            Reader::Events(events) => events.started(),
            Reader::Value(scanner, _) => scanner.started(),
            Reader::Opaque { started } => *started,
        }
    }

    /// What would be true if the answer ended cleanly here.
    pub fn completeness(&self) -> Completeness {
        let (found, whole) = match &self.reader {
            Reader::Events(events) => (events.found(), events.at_boundary()),
            Reader::Value(scanner, Framing::JsonArray) => {
                (scanner.found(), scanner.whole() && scanner.in_array())
            }
            Reader::Value(scanner, _) if scanner.whole() && self.readable => return Completeness::Complete,
            Reader::Value(..) | Reader::Opaque { .. } => return Completeness::Unreadable,
        };
        match (found.failed, self.readable, found.ended && whole) {
            (true, _, _) => Completeness::ProviderError,
            (false, false, _) => Completeness::Unreadable,
            (false, true, true) => Completeness::Complete,
            (false, true, false) => Completeness::Broken,
        }
    }

    /// What the provider reported last.
    pub fn usage(&self) -> Usage {
        match &self.reader {
            Reader::Events(events) => events.found().usage,
            Reader::Value(scanner, _) => scanner.found().usage,
            Reader::Opaque { .. } => Usage::default(),
        }
    }
}
