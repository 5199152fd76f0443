//! OpenAI's dialect: what a path under `/gateway/openai/v1` asks for, and MLflow's unified routes, which speak it too.

pub(crate) mod table;

use crate::{
    Framing, Named, Operation, Page, PathError, Route,
    models::Style,
    path::{decode, endpoint},
    route::Asked,
};

/// Parses what follows `openai/`: `v1/…`. What is not a call with a model in its body, or the list of models, is a
/// resource of whoever the prefix or the header names.
pub(crate) fn route(asked: Asked<'_>, rest: &str) -> Result<Route, PathError> {
    let rest = rest.strip_prefix("v1/").ok_or(PathError::NoSuchPath)?;
    match models(&asked, Style::OpenAi, rest)? {
        Some(route) => return Ok(route),
        None => asked.does()?,
    }
    match operation(rest).filter(|_| asked.method == "POST") {
        Some(operation) => {
            let framing = framing(operation);
            asked.call(operation, framing, Named::Body, rest)
        }
        None => asked.call(Operation::OpenAiResource, Framing::Open, Named::Header, rest),
    }
}

/// Parses what follows `mlflow/`: `v1/{chat/completions,embeddings,models}`.
pub(crate) fn unified(asked: Asked<'_>, rest: &str) -> Result<Route, PathError> {
    let rest = rest.strip_prefix("v1/").ok_or(PathError::NoSuchPath)?;
    if let Some(route) = models(&asked, Style::Mlflow, rest)? {
        return Ok(route);
    }
    let operation = operation(rest)
        .filter(|operation| matches!(operation, Operation::ChatCompletions | Operation::Embeddings))
        .ok_or(PathError::NoSuchPath)?;
    asked.posts()?;
    asked.call(operation, framing(operation), Named::Body, rest).map(promised)
}

/// Parses what follows `{endpoint}/mlflow/`: `invocations`.
pub(crate) fn invocations(asked: Asked<'_>, rest: &str) -> Result<Route, PathError> {
    if rest != Operation::Invocations.as_str() {
        return Err(PathError::NoSuchPath);
    }
    asked.posts()?;
    asked.call(Operation::Invocations, Framing::InBody, Named::Header, rest).map(promised)
}

fn promised(mut route: Route) -> Route {
    if let Route::Call(call) = &mut route {
        call.unified = true;
    }
    route
}

/// `models` and `models/{endpoint}`, whose slashes and other characters an SDK may have escaped.
fn models(asked: &Asked<'_>, style: Style, rest: &str) -> Result<Option<Route>, PathError> {
    match rest.strip_prefix("models") {
        Some("") => {
            asked.reads()?;
            Page::parse(style, asked.query).map(Route::List).map(Some)
        }
        Some(name) if name.starts_with('/') => {
            let name = endpoint(&decode(&name[1..])?)?;
            asked.reads().map(|()| Some(Route::Get(style, name)))
        }
        _ => Ok(None),
    }
}

/// The operation whose path this is, if its body names the model.
fn operation(path: &str) -> Option<Operation> {
    Operation::parse(path).filter(|operation| {
        use Operation as O;
        matches!(
            operation,
            O::ChatCompletions
                | O::Completions
                | O::Responses
                | O::ResponsesCompact
                | O::ResponsesInputTokens
                | O::Embeddings
                | O::Moderations
                | O::ImagesGenerations
                | O::ImagesEdits
                | O::ImagesVariations
                | O::AudioSpeech
                | O::AudioTranscriptions
                | O::AudioTranslations
        )
    })
}

fn framing(operation: Operation) -> Framing {
    use Operation as O;
    match operation {
        O::ChatCompletions
        | O::Completions
        | O::Responses
        | O::ImagesGenerations
        | O::ImagesEdits
        | O::ImagesVariations
        | O::AudioTranscriptions => Framing::InBody,
        // Audio, or events that carry it and have no mark of their own.
        O::AudioSpeech => Framing::Open,
        _ => Framing::Unary,
    }
}
