//! A second opinion on answers: slow, by whole JSON trees, sharing nothing with the observer.

use dialect::{Completeness, Framing, Observer, Operation, Usage};
use serde_json::Value;

/// What an observer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) completeness: Completeness,
    pub(crate) usage: Usage,
    pub(crate) at_boundary: bool,
    pub(crate) started: bool,
}

impl Outcome {
    pub(crate) fn of(observer: &Observer) -> Self {
        Self {
            completeness: observer.completeness(),
            usage: observer.usage(),
            at_boundary: observer.at_boundary(),
            started: observer.started(),
        }
    }

    /// What an observer says that was fed these pieces.
    pub(crate) fn fed<'a>(framing: Framing, pieces: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let operation = if framing == Framing::Unary {
            Operation::GenerateContent
        } else {
            Operation::StreamGenerateContent
        };
        let mut observer = Observer::new(operation, framing, true);
        for piece in pieces {
            observer.observe(piece);
        }
        Self::of(&observer)
    }
}

/// The elements of a stream so far: where each ends, and what it says.
#[derive(Default)]
pub(crate) struct Oracle {
    /// The offset behind an element and what is true of the stream from there on: ended, failed, usage.
    elements: Vec<(usize, bool, bool, Usage)>,
}

impl Oracle {
    pub(crate) fn push(&mut self, end: usize, element: &Value) {
        let (_, mut ended, mut failed, mut usage) = self.elements.last().copied().unwrap_or_default();
        let says = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        let candidates = element["candidates"].as_array();
        ended |= candidates.is_some_and(|all| all.iter().any(|one| says(&one["finishReason"])));
        ended |= says(&element["promptFeedback"]["blockReason"]);
        failed |= !element["error"].is_null();
        let counts = &element["usageMetadata"];
        for (field, name) in [
            (&mut usage.input, "promptTokenCount"),
            (&mut usage.output, "candidatesTokenCount"),
            (&mut usage.cached, "cachedContentTokenCount"),
            (&mut usage.thoughts, "thoughtsTokenCount"),
            (&mut usage.tool_use, "toolUsePromptTokenCount"),
        ] {
            let count = &counts[name];
            *field = count.as_u64().or_else(|| count.as_str()?.parse().ok()).or(*field);
        }
        self.elements.push((end, ended, failed, usage));
    }

    /// What is true once `length` bytes came. `whole` says whether the stream's own last byte is among them.
    pub(crate) fn at(&self, length: usize, closed: bool) -> (Completeness, Usage) {
        let last = self.elements.iter().rev().find(|(end, ..)| *end <= length);
        let (_, ended, failed, usage) = last.copied().unwrap_or_default();
        let completeness = match (failed, ended && closed) {
            (true, _) => Completeness::ProviderError,
            (false, true) => Completeness::Complete,
            (false, false) => Completeness::Broken,
        };
        (completeness, usage)
    }
}
