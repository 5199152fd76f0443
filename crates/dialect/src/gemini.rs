//! Gemini's dialect: what a path under `/gateway/gemini` asks for, and what its query holds.

mod models;
mod path;
mod query;
pub(crate) mod table;

pub use models::{Model, Page};
pub use query::Query;

use crate::{Call, Dialect, Framing, Named, Operation, PathError};
use names::EndpointName;

/// What a path under `/gateway/gemini` is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A call of an endpoint: `POST`.
    Call(Call),
    /// The endpoints as Gemini's `models.list`: `GET`.
    List(Page),
    /// One endpoint as Gemini's `models.get`: `GET`.
    Get(EndpointName),
}

impl Route {
    /// Parses what follows the prefix `/gateway/gemini`, as it stood on the wire, and the raw query.
    ///
    /// `{v1|v1beta|v1alpha}/models[/{endpoint}[:{method}]]`, with or without the version: google-genai drops the segment
    /// when it is told `api_version=""` (recorded), see [`crate::Version::UNSTATED`].
    pub fn parse(path: &str, query: Option<&str>) -> Result<Self, PathError> {
        let path = path::Path::parse(path)?;
        match (path.name, path.method) {
            (None, _) => Page::parse(query).map(Self::List),
            (Some(name), None) => path::endpoint(&name).map(Self::Get),
            (Some(name), Some(method)) => {
                let operation = operation(&method).ok_or(PathError::NoSuchMethod)?;
                let framing = query::framing(operation, query)?;
                let named = Named::Path(path::endpoint(&name)?);
                Ok(Self::Call(Call {
                    dialect: Dialect::Gemini,
                    version: path.version,
                    operation,
                    named,
                    framing,
                }))
            }
        }
    }

    /// The value of `Allow` for this path: its HTTP methods.
    pub const fn allow(&self) -> &'static str {
        match self {
            Self::Call(_) => "POST",
            Self::List(_) | Self::Get(_) => "GET, HEAD",
        }
    }
}

/// Parses a path that calls an endpoint; every other path is [`PathError::NoSuchPath`]. See [`Route::parse`].
pub fn parse(path: &str, query: Option<&str>) -> Result<Call, PathError> {
    match Route::parse(path, query)? {
        Route::Call(call) => Ok(call),
        Route::List(_) | Route::Get(_) => Err(PathError::NoSuchPath),
    }
}

/// How a refusal of this path is to be framed when the path itself could not be parsed: as the method behind the colon
/// would be, so that a stream's caller gets the form that it reads.
pub fn refused_framing(path: &str, query: Option<&str>) -> Framing {
    let streams = path::Path::parse(path)
        .ok()
        .and_then(|path| path.method)
        .and_then(|method| operation(&method))
        .is_some_and(|operation| operation == Operation::StreamGenerateContent);
    if streams {
        query::framing(Operation::StreamGenerateContent, query).unwrap_or(Framing::Unary)
    } else {
        Framing::Unary
    }
}

fn operation(method: &str) -> Option<Operation> {
    Operation::parse(method).filter(|operation| operation.dialect() == Dialect::Gemini)
}
