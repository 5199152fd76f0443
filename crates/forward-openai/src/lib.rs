//! How OpenAI differs, and Azure's way of it.
#![doc = include_str!("../README.md")]

mod azure;
mod openai;

pub use azure::Azure;
pub use openai::OpenAi;

use dialect::{Dialect, Operation};
use forward::{ForwardError, Head, Target};

/// The path behind the version, of a call that OpenAI's dialect knows.
fn path_of(head: &Head) -> Result<&str, ForwardError> {
    match head.operation.dialect() {
        Some(Dialect::OpenAi) | None => head.path.as_deref().ok_or(ForwardError::Internal),
        Some(_) => Err(ForwardError::Misconfigured("its provider does not speak this dialect")),
    }
}

fn is_proxied(head: &Head) -> bool {
    head.operation == Operation::Proxy
}

/// A setting of the secret, where it says anything.
fn setting<'a>(target: &'a Target, name: &str) -> Option<&'a str> {
    target.settings.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    //! Golden cases: a target and a call in, a request out; and what passes of answers.

    use std::path::Path;

    use forward_http::{Wire as _, suite};

    use super::*;

    #[test]
    fn golden_cases() {
        let cases = suite::cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"));
        let azures = [Azure::OPEN_AI, Azure::AI];
        let report: String = cases
            .iter()
            .map(|case| match azures.iter().find(|azure| case.field("provider") == Some(azure.provider())) {
                Some(azure) => case.differences(azure),
                None => case.differences(&OpenAi),
            })
            .collect();
        assert!(report.is_empty(), "{report}");
        assert!(cases.len() >= 25, "{} cases were found", cases.len());
    }
}
