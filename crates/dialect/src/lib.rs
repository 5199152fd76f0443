//! How Gemini, OpenAI and Anthropic clients speak: path to call, error bodies, stream framing, completeness, usage.
//!
//! Pure: no I/O, no clock, no allocation per byte. What differs between dialects lives in one module each
//! ([`gemini`]; OpenAI and Anthropic get theirs beside it); this file holds what they share.

pub mod gemini;

mod call;
mod observe;
mod refusal;

pub use call::{Call, Dialect, Framing, Named, Operation, PathError, Version};
pub use observe::{Completeness, Observer, Usage};
pub use refusal::{Refusal, Rendered};
