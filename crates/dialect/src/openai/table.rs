//! Where OpenAI's answers say that they are complete, that they failed, and what they used.
//!
//! Sources: <https://platform.openai.com/docs/api-reference> (streaming events), the types of `openai-python` 3.x.

use crate::observe::{Count, Mark, Row, Table, Then};

/// `chat.completion`, `chat.completion.chunk`, completions and embeddings. Some who speak OpenAI's dialect leave
/// `[DONE]` out, so a finish reason ends the answer too.
pub(crate) const CHAT: Table = Table {
    rows: &[
        Row("choices", Then::Each(&[Row("finish_reason", Then::Text(Mark::Ended))])),
        Row(
            "usage",
            Then::Object(&[
                Row("prompt_tokens", Then::Count(Count::Input)),
                Row("completion_tokens", Then::Count(Count::Output)),
                Row(
                    "prompt_tokens_details",
                    Then::Object(&[Row("cached_tokens", Then::Count(Count::Cached))]),
                ),
            ]),
        ),
        ERROR,
    ],
    done: Some("DONE"),
};

/// A `response`, and the events of one.
pub(crate) const RESPONSES: Table = Table {
    rows: &[
        Row(
            "type",
            Then::OneOf(&[
                ("response.completed", Mark::Ended),
                ("response.incomplete", Mark::Ended),
                ("response.failed", Mark::Ended),
                ("error", Mark::Failed),
            ]),
        ),
        Row("response", Then::Object(&[Row("usage", Then::Object(RESPONSE_USAGE))])),
        Row("usage", Then::Object(RESPONSE_USAGE)),
    ],
    done: None,
};

const RESPONSE_USAGE: &[Row] = &[
    Row("input_tokens", Then::Count(Count::Input)),
    Row("output_tokens", Then::Count(Count::Output)),
    Row("input_tokens_details", Then::Object(&[Row("cached_tokens", Then::Count(Count::Cached))])),
    Row("output_tokens_details", Then::Object(&[Row("reasoning_tokens", Then::Count(Count::Thoughts))])),
];

/// Generated and edited images.
pub(crate) const IMAGES: Table = Table {
    rows: &[
        Row(
            "type",
            Then::OneOf(&[
                ("image_generation.completed", Mark::Ended),
                ("image_edit.completed", Mark::Ended),
                ("error", Mark::Failed),
            ]),
        ),
        Row("usage", Then::Object(RESPONSE_USAGE)),
        ERROR,
    ],
    done: Some("DONE"),
};

/// Transcriptions.
pub(crate) const TRANSCRIPTIONS: Table = Table {
    rows: &[
        Row("type", Then::OneOf(&[("transcript.text.done", Mark::Ended), ("error", Mark::Failed)])),
        Row("usage", Then::Object(RESPONSE_USAGE)),
        ERROR,
    ],
    done: Some("DONE"),
};

const ERROR: Row = Row("error", Then::Present(Mark::Failed));
