//! Gemini's dialect: what a path under `/gateway/gemini` asks for, and what its query holds.

mod path;
mod query;
mod retry;
pub(crate) mod table;

pub use query::Query;
pub(crate) use query::parameters;
pub use retry::retry_after;

use names::EndpointName;

use crate::{
    Call, Dialect, Framing, Named, Operation, Page, PathError, Route, Version,
    models::Style,
    path::{check, endpoint, passed},
    route::Asked,
};
use path::{Path, Rest};

/// Parses what follows `gemini/`: `{v1|v1beta|v1alpha}/models[/{endpoint}[:{method}]]`, with or without the version
/// (google-genai drops the segment when it is told `api_version=""`, recorded; see [`Version::UNSTATED`]), or any other
/// resource under a version.
pub(crate) fn route(asked: Asked<'_>, rest: &str) -> Result<Route, PathError> {
    let Path { version, rest } = Path::parse(rest)?;
    match rest {
        Rest::Models => {
            let page = Page::parse(Style::Gemini, asked.query)?;
            asked.reads().map(|()| Route::List(page))
        }
        Rest::Model(name, None) => {
            let name = model(&name)?;
            asked.reads().map(|()| Route::Get(Style::Gemini, name))
        }
        Rest::Model(name, Some(method)) => {
            let operation = Operation::gemini_method(&method).ok_or(PathError::NoSuchMethod)?;
            let framing = query::framing(operation, asked.query)?;
            let named = match &asked.prefix {
                Some(prefix) => Named::Prefix(prefix.clone()),
                None => Named::Path(model(&name)?),
            };
            asked.posts()?;
            Ok(call(version, operation, None, named, framing))
        }
        Rest::Other(rest) => resource(asked, version, rest),
    }
}

/// Whatever is not a model. Where a body names one, it may tell the endpoint.
fn resource(asked: Asked<'_>, version: Version, rest: &str) -> Result<Route, PathError> {
    asked.does()?;
    let path = Some(passed(rest)?);
    let (operation, framing, named) = match (asked.method, rest) {
        ("POST", "cachedContents") => (Operation::CachedContents, Framing::Unary, Named::Body),
        ("POST", "interactions") => (Operation::Interactions, Framing::Open, Named::Body),
        _ => (Operation::GeminiResource, Framing::Open, Named::Header),
    };
    Ok(call(version, operation, path, asked.named(named), framing))
}

fn call(
    version: Version,
    operation: Operation,
    path: Option<String>,
    named: Named,
    framing: Framing,
) -> Route {
    Route::Call(Call { dialect: Dialect::Gemini, version, operation, path, named, framing, unified: false })
}

/// The endpoint that a decoded name means; one leading `models/` is not part of it, as some clients double it.
fn model(name: &str) -> Result<EndpointName, PathError> {
    endpoint(name.strip_prefix(RESOURCE).unwrap_or(name))
}

/// What stands before a model's name where Gemini's bodies name one as a resource.
pub(crate) const RESOURCE: &str = "models/";

/// How a refusal of this path is to be framed when the path itself could not be parsed. `path` is what follows `gemini/`.
pub(crate) fn refused_framing(path: &str, query: Option<&str>) -> Framing {
    let method = check(path).and_then(|()| Path::parse(path)).map(|path| match path.rest {
        Rest::Model(_, method) => method,
        Rest::Models | Rest::Other(_) => None,
    });
    let streams = method.is_ok_and(|method| {
        method.as_deref().and_then(Operation::gemini_method) == Some(Operation::StreamGenerateContent)
    });
    if streams {
        query::framing(Operation::StreamGenerateContent, query).unwrap_or(Framing::Unary)
    } else {
        Framing::Unary
    }
}
