//! Every refusal in every dialect, before and after the first byte.

use std::fmt::Write as _;

use dialect::{Completeness, Dialect, Framing, Refusal};
use fault::Fault;
use proptest::prelude::*;

use crate::oracle::Outcome;

const DIALECTS: [Dialect; 3] = [Dialect::Gemini, Dialect::OpenAi, Dialect::Anthropic];

fn refusal(fault: Fault, message: &str) -> Refusal<'_> {
    Refusal { fault, message, request_id: "0123abc" }
}

#[test]
fn before_the_first_byte() {
    let mut shown = String::new();
    for dialect in DIALECTS {
        for fault in Fault::ALL {
            let rendered = refusal(fault, "no endpoint has this name").render(dialect, Framing::Sse);
            let body = std::str::from_utf8(&rendered.body).unwrap();
            writeln!(shown, "{} {} {} {body}", dialect.as_str(), rendered.status, rendered.content_type)
                .unwrap();
        }
    }
    let array =
        refusal(Fault::NotFound, "no endpoint has this name").render(Dialect::Gemini, Framing::JsonArray);
    writeln!(shown, "gemini, as an array {}", std::str::from_utf8(&array.body).unwrap()).unwrap();
    insta::assert_snapshot!(shown);
}

#[test]
fn in_a_running_stream() {
    let mut shown = String::new();
    let message = "the provider was silent for longer than `idle` allows \"x\" \n \u{2028} ünï";
    for dialect in DIALECTS {
        for (framing, first) in [
            (Framing::Sse, false),
            (Framing::JsonArray, true),
            (Framing::JsonArray, false),
            (Framing::Unary, true),
        ] {
            let frame = refusal(Fault::Timeout, message).frame(dialect, framing, first);
            let frame = std::str::from_utf8(&frame).unwrap();
            writeln!(shown, "{} {framing:?} first={first} {frame:?}", dialect.as_str()).unwrap();
        }
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_frame_of_ours_is_never_read_as_a_success() {
    let stop = r#"{"candidates":[{"finishReason":"STOP"}]}"#;
    for (framing, head) in [
        (Framing::Sse, String::new()),
        (Framing::Sse, format!("data: {stop}\r\n\r\n")),
        (Framing::JsonArray, String::new()),
        (Framing::JsonArray, format!("[{stop}\n")),
    ] {
        let before = Outcome::fed(framing, [head.as_bytes()]);
        assert!(before.at_boundary, "{head}");
        let frame = refusal(Fault::Unavailable, "x").frame(Dialect::Gemini, framing, !before.started);
        let after = Outcome::fed(framing, [head.as_bytes(), &frame]);
        assert_eq!((after.completeness, after.at_boundary), (Completeness::ProviderError, false), "{head}");
        if framing == Framing::JsonArray {
            serde_json::from_str::<Vec<serde_json::Value>>(&(head + std::str::from_utf8(&frame).unwrap()))
                .unwrap();
        }
    }
}

proptest! {
    #[test]
    fn any_message_stays_one_line_of_json_and_comes_back(message: String) {
        for dialect in DIALECTS {
            let refusal = refusal(Fault::BadRequest, &message);
            let body = refusal.render(dialect, Framing::Sse).body;
            let read: serde_json::Value = serde_json::from_slice(&body).unwrap();
            prop_assert_eq!(read["error"]["message"].as_str(), Some(&*message));
            let frame = refusal.frame(dialect, Framing::Sse, false);
            let line = frame.trim_ascii_end().split(|byte| *byte == b'\n').next_back().unwrap();
            prop_assert_eq!(line, &[b"data: ", &body[..]].concat()[..]);
            prop_assert!(line.iter().all(|byte| (b' '..=b'~').contains(byte)));
        }
    }
}
