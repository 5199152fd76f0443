//! How Gemini, OpenAI and Anthropic clients speak.
#![doc = include_str!("../README.md")]

pub mod body;
pub mod form;
pub mod gemini;

mod anthropic;
mod call;
mod json;
mod models;
mod observe;
mod openai;
mod operation;
mod path;
mod refusal;
mod route;
mod told;

pub use call::{Call, Dialect, Framing, Named, PathError, Version};
pub use models::{Model, Page, Style};
pub use observe::{Completeness, Observer, Usage};
pub use operation::{Naming, Operation};
pub use refusal::{Refusal, Rendered};
pub use route::{Route, face};
pub use told::{Untold, Written, told};
