//! Where Gemini's answers say that they are complete, that they failed, and what they used.

use crate::observe::{Count, Mark, Row, Table, Then};

/// A `GenerateContentResponse`, or an array of them (`google.ai.generativelanguage`, `generative_service.proto`).
///
/// A candidate's finish reason or the prompt's block reason ends the answer, whichever it is: both are open sets.
pub(crate) const GENERATE_CONTENT: Table = Table {
    rows: &[
        Row("candidates", Then::Each(&[Row("finishReason", Then::Text(Mark::Ended))])),
        Row("promptFeedback", Then::Object(&[Row("blockReason", Then::Text(Mark::Ended))])),
        Row("usageMetadata", Then::Object(USAGE)),
        Row("error", Then::Present(Mark::Failed)),
    ],
    done: None,
};

const USAGE: &[Row] = &[
    Row("promptTokenCount", Then::Count(Count::Input)),
    Row("candidatesTokenCount", Then::Count(Count::Output)),
    Row("cachedContentTokenCount", Then::Count(Count::Cached)),
    Row("thoughtsTokenCount", Then::Count(Count::Thoughts)),
    Row("toolUsePromptTokenCount", Then::Count(Count::ToolUse)),
];
