//! The streams of OpenAI and Anthropic, read by their tables.

use std::{fs, path::Path};

use super::{sse::Events, table::Table};
use crate::{
    anthropic::table::MESSAGES as ANTHROPIC,
    openai::table::{CHAT as OPENAI_CHAT, RESPONSES as OPENAI_RESPONSES},
};

fn recording(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../provider-sim/recordings").join(name)).unwrap()
}

fn read(table: &'static Table, bytes: &[u8]) -> (bool, bool, [Option<u64>; 4]) {
    let mut events = Events::new(table);
    for byte in bytes {
        events.observe(std::slice::from_ref(byte));
    }
    let found = events.found();
    let usage = found.usage;
    (found.ended, found.failed, [usage.input, usage.output, usage.cached, usage.thoughts])
}

#[test]
fn recorded_streams_end_and_report_their_usage() {
    let streams: [(&'static Table, &str, &str, [Option<u64>; 4]); 5] = [
        (
            &OPENAI_CHAT,
            "openai/stream_text_gpt-4o-mini.sse",
            "\"finish_reason\":\"",
            [Some(78), Some(9), Some(0), None],
        ),
        (
            &OPENAI_CHAT,
            "openai/stream_tool_call_gpt-4o-mini.sse",
            "\"finish_reason\":\"",
            [Some(53), Some(15), Some(0), None],
        ),
        (
            &OPENAI_RESPONSES,
            "openai/responses_stream.sse",
            "response.completed",
            [Some(255), Some(16), Some(0), Some(0)],
        ),
        (&ANTHROPIC, "anthropic/stream_tool_use.sse", "message_stop", [Some(377), Some(65), Some(0), None]),
        (
            &ANTHROPIC,
            "anthropic/stream_redacted_thinking.sse",
            "message_stop",
            [Some(92), Some(189), Some(0), None],
        ),
    ];
    for (table, name, mark, usage) in streams {
        let bytes = recording(name);
        assert_eq!(read(table, &bytes), (true, false, usage), "{name}");
        let before = memchr::memmem::find(&bytes, mark.as_bytes()).unwrap();
        assert!(!read(table, &bytes[..before]).0, "{name} without its end");
    }
}

#[test]
fn done_ends_a_stream_of_openai_alone() {
    assert!(read(&OPENAI_CHAT, b"data: {\"choices\":[]}\n\ndata: [DONE]\n\n").0);
    for other in [
        "data: DONE\n\n",
        "data: [\"DONE\"]\n\n",
        "data: [DONE\n\n",
        "data: {\"x\":\"[DONE]\"}\n\n",
        "data: [DONE2]\n\n",
    ] {
        assert!(!read(&OPENAI_CHAT, other.as_bytes()).0, "{other}");
    }
    assert!(!read(&ANTHROPIC, b"data: [DONE]\n\n").0);
}

#[test]
fn errors_inside_streams() {
    assert!(read(&OPENAI_CHAT, b"data: {\"error\":{\"message\":\"x\"},\"choices\":[]}\n\n").1);
    assert!(
        read(
            &ANTHROPIC,
            b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n"
        )
        .1
    );
}
