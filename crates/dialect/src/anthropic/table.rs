//! Where Anthropic's answers say that they are complete, that they failed, and what they used.
//!
//! Source: <https://platform.claude.com/docs/en/build-with-claude/streaming>.

use crate::observe::{Count, Mark, Row, Table, Then};

/// A `message`, and the events of one: usage begins in `message_start` and is overwritten by `message_delta`.
pub(crate) const MESSAGES: Table = Table {
    rows: &[
        Row("type", Then::OneOf(&[("message_stop", Mark::Ended), ("error", Mark::Failed)])),
        Row("message", Then::Object(&[Row("usage", Then::Object(USAGE))])),
        Row("usage", Then::Object(USAGE)),
    ],
    done: None,
};

const USAGE: &[Row] = &[
    Row("input_tokens", Then::Count(Count::Input)),
    Row("output_tokens", Then::Count(Count::Output)),
    Row("cache_read_input_tokens", Then::Count(Count::Cached)),
];
