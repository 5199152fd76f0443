//! Anthropic's dialect: what a path under `/gateway/anthropic` asks for.

pub(crate) mod table;

use crate::{
    Framing, Named, Operation, Page, PathError, Route,
    models::Style,
    path::{decode, endpoint},
    route::Asked,
};

/// Parses what follows `anthropic/`: `v1/…`. What is not a call with a model in its body, or the list of models, is a
/// resource of whoever the prefix or the header names.
pub(crate) fn route(asked: Asked<'_>, rest: &str) -> Result<Route, PathError> {
    let rest = rest.strip_prefix("v1/").ok_or(PathError::NoSuchPath)?;
    match rest.strip_prefix("models") {
        Some("") => {
            asked.reads()?;
            return Page::parse(Style::Anthropic, asked.query).map(Route::List);
        }
        Some(name) if name.starts_with('/') => {
            let name = endpoint(&decode(&name[1..])?)?;
            return asked.reads().map(|()| Route::Get(Style::Anthropic, name));
        }
        _ => asked.does()?,
    }
    let (operation, framing, named) = match (asked.method, rest) {
        ("POST", "messages") => (Operation::Messages, Framing::InBody, Named::Body),
        ("POST", "messages/count_tokens") => (Operation::MessagesCountTokens, Framing::Unary, Named::Body),
        ("POST", "messages/batches") => (Operation::MessagesBatches, Framing::Unary, Named::Body),
        _ => (Operation::AnthropicResource, Framing::Open, Named::Header),
    };
    asked.call(operation, framing, named, rest)
}
