//! What the dialects promise, held against recorded requests and answers.
#![expect(clippy::unwrap_used, reason = "in a test, and in what only tests call, a panic is the report")]

mod cuts;
mod hostile;
mod oracle;
mod paths;
mod recordings;
mod refusals;
