//! What a whole body says of its call, read as its operation has it.

use crate::{
    Dialect, Naming, Operation,
    body::{self, BodyProblem, Told},
    form::{self, FormProblem},
    gemini,
};

/// Why a body does not say where its call goes. Messages are for the caller and never repeat the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untold {
    /// The JSON cannot be read.
    #[error(transparent)]
    Json(#[from] BodyProblem),
    /// The form cannot be read.
    #[error(transparent)]
    Form(#[from] FormProblem),
}

impl Untold {
    /// What it is called on every face.
    pub const fn fault(self) -> fault::Fault {
        match self {
            Self::Json(problem) => problem.fault(),
            Self::Form(problem) => problem.fault(),
        }
    }
}

/// Where a body names its model, and how that place is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// In JSON texts.
    Json,
    /// In a form's fields.
    Form,
}

/// Reads the body of a call of `operation`; none where it is not looked at. Its mentions of models are names of endpoints:
/// what Gemini has before them (`models/`) is left out.
///
/// # Errors
/// See [`Untold`]; nothing is guessed.
pub fn told<'a>(
    operation: Operation,
    content_type: &str,
    body: &'a [u8],
) -> Result<Option<(Written, Told<'a>)>, Untold> {
    let told = match operation.naming() {
        Naming::Nowhere => return Ok(None),
        Naming::JsonOrForm(_) if form::is_form(content_type) => {
            return Ok(Some((Written::Form, form::read(body, content_type)?)));
        }
        Naming::Again(shape) | Naming::Json(shape) | Naming::JsonOrForm(shape) => body::read(body, shape)?,
    };
    Ok(Some(match operation.dialect() {
        Some(Dialect::Gemini) => (Written::Json, told.without(body, gemini::RESOURCE)),
        _ => (Written::Json, told),
    }))
}
