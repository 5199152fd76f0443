//! Reads an answer's bytes on the side, as they pass: has it ended as it should, where does an event end, what was used.

use crate::{Framing, Operation};

/// Token counts as the provider reported them last. Absent is unknown, never zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
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
    /// The mark of a complete answer was seen.
    Complete,
    /// The answer ended without its mark: it must not end cleanly toward the client.
    Broken,
    /// The provider itself reported an error inside the stream; it was passed on, the stream is still not complete.
    ProviderError,
    /// The mark cannot be read here (field mask, encoded body): only a transport break counts.
    Unreadable,
}

/// Watches one answer. Fed every byte in order, at any cut, it holds back nothing and keeps at most `EVENT_MAX` bytes.
#[derive(Debug)]
pub struct Observer {
    operation: Operation,
    framing: Framing,
}

impl Observer {
    /// An observer for the answer of `operation`, framed as `framing`. `readable` is false where completeness cannot be
    /// read from the bytes: a `fields` mask in the query, an encoded body.
    pub fn new(operation: Operation, framing: Framing, _readable: bool) -> Self {
        Self { operation, framing }
    }

    /// Takes the next bytes of the answer.
    pub fn observe(&mut self, _bytes: &[u8]) {
        let _ = (self.operation, self.framing);
    }

    /// Whether the last byte seen ended an event (or nothing was seen yet), so that a frame of our own may follow.
    pub fn at_boundary(&self) -> bool {
        true
    }

    /// Whether any element or event was begun.
    pub fn started(&self) -> bool {
        false
    }

    /// What would be true if the answer ended cleanly here.
    pub fn completeness(&self) -> Completeness {
        Completeness::Unreadable
    }

    /// What the provider reported last.
    pub fn usage(&self) -> Usage {
        Usage::default()
    }
}
