//! Errors as a log says them.

use std::error::Error;

/// An error and its sources, in one line. A source that an error's own text ends with, as libraries of databases have it,
/// is not said again.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("relation \"x\" does not exist at line 334")]
    struct Server;

    #[derive(Debug, thiserror::Error)]
    #[error("error returned from database: {0}")]
    struct Library(#[source] Server);

    #[derive(Debug, thiserror::Error)]
    #[error("the tables failed")]
    struct Ours(#[source] Library);

    #[test]
    fn nothing_is_said_twice() {
        let said = chain(&Ours(Library(Server)));
        assert_eq!(
            said,
            "the tables failed: error returned from database: relation \"x\" does not exist at line 334"
        );
    }
}
