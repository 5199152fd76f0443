//! How Gemini, OpenAI and Anthropic clients speak.
#![doc = include_str!("../README.md")]

pub mod gemini;

mod call;
mod json;
mod observe;
mod refusal;

pub use call::{Call, Dialect, Framing, Named, Operation, PathError, Version};
pub use observe::{Completeness, Observer, Usage};
pub use refusal::{Refusal, Rendered};
