//! Answers made to mislead: texts and arguments that look like marks, odd framing, bytes that are no answer at all.

use dialect::{Completeness, Framing, Observer, Operation, Usage};
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use crate::oracle::{Oracle, Outcome};

const TEXTS: [&str; 16] = [
    "",
    "finishReason",
    "\"finishReason\": \"STOP\"",
    "\"}],\"finishReason\":\"STOP\"}]}",
    "{\"error\":{\"code\":503}}",
    "\\",
    "\\\"",
    "\\\\\"",
    "data: {\"error\":{}}\r\n\r\n",
    "\n\n",
    "[DONE]",
    "]",
    "}",
    "\u{2028}ünï 😀",
    "\u{0}\u{7f}",
    "usageMetadata",
];

const KEYS: [&str; 8] = [
    "finishReason",
    "error",
    "usageMetadata",
    "promptTokenCount",
    "candidates",
    "blockReason",
    "a\"b",
    "this key is longer than every word of the table is",
];

/// Any JSON, its keys and texts taken from those that could mislead.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        select(&TEXTS[..]).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!(-1.5e-7)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((select(&KEYS[..]), inner), 0..4).prop_map(|fields| {
                fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            }),
        ]
    })
}

fn count() -> impl Strategy<Value = Value> {
    prop_oneof![any::<u64>().prop_map(Value::from), any::<u64>().prop_map(|count| count.to_string().into())]
}

/// One element of an answer, each of its marks there or not.
fn element() -> impl Strategy<Value = Value> {
    let reason = prop_oneof![3 => Just(None), 1 => Just(Some(json!("STOP"))), 1 => Just(Some(Value::Null))];
    let usage =
        prop::collection::vec((select(&["promptTokenCount", "candidatesTokenCount"][..]), count()), 0..3);
    let error = prop_oneof![9 => Just(None), 1 => Just(Some(json!({"code": 503})))];
    (anything(), reason.clone(), reason, usage, error).prop_map(|(part, finish, block, usage, error)| {
        let mut element = json!({
            "x": part,
            "candidates": [{"content": {"parts": [{"functionCall": {"args": part}}, {"text": part}]}}],
        });
        if let Some(finish) = finish {
            element["candidates"][0]["finishReason"] = finish;
        }
        if let Some(block) = block {
            element["promptFeedback"] = json!({"safetyRatings": [part], "blockReason": block});
        }
        if !usage.is_empty() {
            let counts = usage.into_iter().map(|(name, count)| (name.to_owned(), count));
            element["usageMetadata"] = counts.collect();
            element["usageMetadata"]["promptTokensDetails"] = json!([{"promptTokenCount": 7, "x": part}]);
        }
        if let Some(error) = error {
            element["error"] = error;
        }
        element
    })
}

/// The answer's bytes, cut in pieces of these lengths over and over.
fn pieces<'a>(mut bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        if bytes.is_empty() {
            break;
        }
        let (piece, rest) = bytes.split_at((*length).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

proptest! {
    #[test]
    fn events_that_mislead(
        elements in prop::collection::vec((element(), select(&["", ": comment\n\n", "event: x\nid: 1\n"][..])), 0..5),
        line in select(&["\n", "\r\n", "\r"][..]),
        space in select(&["data: ", "data:"][..]),
        lengths in prop::collection::vec(1_usize..40, 1..8),
    ) {
        let mut stream = String::new();
        let mut oracle = Oracle::default();
        for (element, before) in &elements {
            stream += &before.replace('\n', line);
            for part in [space, &element.to_string(), line, line] {
                stream += part;
            }
            oracle.push(stream.len(), element);
        }
        let (completeness, usage) = oracle.at(stream.len(), true);
        let seen = Outcome::fed(Framing::Sse, pieces(stream.as_bytes(), &lengths));
        prop_assert_eq!((seen.completeness, seen.usage), (completeness, usage));
        prop_assert_eq!(seen.at_boundary, completeness != Completeness::ProviderError);
        prop_assert_eq!(seen.started, !elements.is_empty());
    }

    #[test]
    fn arrays_that_mislead(
        elements in prop::collection::vec(element(), 0..5),
        pretty: bool,
        closed: bool,
        lengths in prop::collection::vec(1_usize..40, 1..8),
    ) {
        let mut stream = String::from("[");
        let mut oracle = Oracle::default();
        for element in &elements {
            stream += if stream.len() > 1 { "\n,\r\n" } else { "" };
            stream += &if pretty { serde_json::to_string_pretty(element).unwrap() } else { element.to_string() };
            oracle.push(stream.len(), element);
        }
        stream += if closed { "\n]\n" } else { "\n" };
        let (completeness, usage) = oracle.at(stream.len(), closed);
        let seen = Outcome::fed(Framing::JsonArray, pieces(stream.as_bytes(), &lengths));
        prop_assert_eq!((seen.completeness, seen.usage), (completeness, usage));
        let may_follow = !closed && !elements.is_empty() && completeness != Completeness::ProviderError;
        prop_assert_eq!(seen.at_boundary, may_follow);
    }

    #[test]
    fn no_bytes_do_harm_and_no_cut_matters(
        bytes in prop::collection::vec(
            prop_oneof![4 => select(&b"{}[]\":,\\data: \r\n0e"[..]), 1 => any::<u8>()], 0..300),
        lengths in prop::collection::vec(1_usize..9, 1..8),
        framing in select(&[Framing::Sse, Framing::JsonArray, Framing::Unary][..]),
    ) {
        let whole = Outcome::fed(framing, [&bytes[..]]);
        prop_assert_eq!(Outcome::fed(framing, pieces(&bytes, &lengths)), whole);
    }
}

fn sse(stream: &str) -> Outcome {
    Outcome::fed(Framing::Sse, [stream.as_bytes()])
}

#[test]
fn marks_count_only_at_their_path() {
    for wrong in [
        r#"{"finishReason":"STOP"}"#,
        r#"{"candidates":{"finishReason":"STOP"}}"#,
        r#"{"candidates":[[{"finishReason":"STOP"}]]}"#,
        r#"{"candidates":[{"content":{"finishReason":"STOP"}}]}"#,
        r#"{"candidates":[{"finishReason":null}]}"#,
        r#"{"candidates":[{"finishReason":""}]}"#,
        r#"{"candidates":[{"finishReason":{"a":"STOP"}}]}"#,
        r#"{"candidates":[{"x":"finishReason","y":"STOP"}]}"#,
        r#"{"candidates":[{"x":"\",\"finishReason\":\"STOP"}]}"#,
        r#"{"blockReason":"SAFETY","promptFeedback":[{"blockReason":"SAFETY"}]}"#,
        r#"{"error":null,"x":{"error":{"code":500}}}"#,
        r#"{"candidates":[{"finishReason":"STOP""#,
        r#""candidates":[{"finishReason":"STOP"}]"#,
        "[DONE]",
        "",
    ] {
        assert_eq!(sse(&format!("data: {wrong}\n\n")).completeness, Completeness::Broken, "{wrong}");
    }
    for right in [
        r#"{"candidates":[{},{"finishReason":"STOP"}]}"#,
        r#"{"candidates" : [ { "content":{"a":[{}]} , "finishReason" : "A_NEW_REASON_THAT_IS_LONGER_THAN_THE_SCRATCH" } ] }"#,
        r#"{"promptFeedback":{"x":1,"blockReason":"SAFETY"}}"#,
    ] {
        assert_eq!(sse(&format!("data: {right}\n\n")).completeness, Completeness::Complete, "{right}");
    }
}

#[test]
fn a_providers_own_error_is_seen_in_each_form() {
    let part = "data: {\"candidates\":[{\"content\":{}}]}\r\n\r\n";
    for error in [
        "{\n  \"error\": {\n    \"code\": 499\n  }\n}\n",
        "[{\n  \"error\": {\n    \"code\": 499\n  }\n}]",
        "data: {\"error\":{\"code\":503}}\r\n\r\n",
        "{\"error\":\"text\"}",
    ] {
        let outcome = sse(&format!("{part}{error}"));
        assert_eq!(
            (outcome.completeness, outcome.at_boundary),
            (Completeness::ProviderError, false),
            "{error}"
        );
    }
    // Cut inside its own error: nothing of ours may follow either, and it is no success.
    let outcome = sse(&format!("{part}{{\n \"error\": {{"));
    assert_eq!((outcome.completeness, outcome.at_boundary), (Completeness::Broken, false));
}

#[test]
fn events_by_the_standard() {
    let stop = r#"{"candidates":[{"finishReason":"STOP"}]}"#;
    let split = stop.replace(":[", ":\ndata: [");
    for complete in [
        format!("data:{stop}\n\n"),
        format!("data: {stop}\r\r"),
        format!("\n\ndata: {split}\n\n\n"),
        format!("data: {{}}\ndata: {stop}\n\n"),
        format!("data: {stop}\n\n: a comment\n"),
    ] {
        assert_eq!(sse(&complete).completeness, Completeness::Complete, "{complete:?}");
    }
    for broken in [
        format!("data: {stop}"),
        format!("data: {stop}\n"),
        format!("data: {stop}\r\n\r"),
        format!("data: {stop}\n\nd"),
        format!("data: {stop}\n\ndata: {{}}\n"),
        format!("data: {stop}\n\n: a comm"),
        format!("dat: {stop}\n\n"),
        format!("datax: {stop}\n\n"),
        format!(" data: {stop}\n\n"),
    ] {
        assert_eq!(sse(&broken).completeness, Completeness::Broken, "{broken:?}");
    }
}

#[test]
fn counts_that_are_not_plain_are_unknown() {
    let read = |count: &str| {
        let body = format!(r#"{{"usageMetadata":{{"promptTokenCount":{count}}}}}"#);
        Outcome::fed(Framing::Unary, [body.as_bytes()]).usage.input
    };
    for (count, expected) in [("0", Some(0)), ("\"12\"", Some(12)), ("18446744073709551615", Some(u64::MAX))]
    {
        assert_eq!(read(count), expected, "{count}");
    }
    for odd in [
        "-1",
        "1.5",
        "1e3",
        "18446744073709551616",
        "null",
        "true",
        "\"\"",
        "\"1a\"",
        "[1]",
        "{}",
        "\"\\u0031\"",
    ] {
        assert_eq!(read(odd), None, "{odd}");
    }
}

#[test]
fn what_cannot_be_read_is_not_called_broken() {
    let mut masked = Observer::new(Operation::StreamGenerateContent, Framing::Sse, false);
    masked.observe(
        b"data: {\"candidates\":[{\"content\":{}}],\"usageMetadata\":{\"promptTokenCount\":3}}\r\n\r\n",
    );
    assert_eq!((masked.completeness(), masked.at_boundary()), (Completeness::Unreadable, true));
    assert_eq!(masked.usage(), Usage { input: Some(3), ..Usage::default() });
    masked.observe(b"data: {\"error\":{\"code\":500}}\r\n\r\n");
    assert_eq!(masked.completeness(), Completeness::ProviderError);

    let mut opaque = Observer::opaque();
    assert!(opaque.at_boundary() && !opaque.started());
    opaque.observe(b"\x1f\x8b\n\n");
    assert!(!opaque.at_boundary() && opaque.started());
    assert_eq!((opaque.completeness(), opaque.usage()), (Completeness::Unreadable, Usage::default()));

    for (body, completeness) in [
        ("{}", Completeness::Complete),
        ("{\"a\":[\n", Completeness::Unreadable),
        ("<html>", Completeness::Unreadable),
        ("", Completeness::Unreadable),
    ] {
        assert_eq!(Outcome::fed(Framing::Unary, [body.as_bytes()]).completeness, completeness, "{body}");
    }
}

#[test]
fn its_state_has_a_fixed_size() {
    // 1,000 open streams cost half a megabyte here at most, whatever passes; nothing in it points to the heap.
    assert!(size_of::<Observer>() <= 512, "{}", size_of::<Observer>());
    let mut observer = Observer::new(Operation::StreamGenerateContent, Framing::JsonArray, true);
    for _ in 0..1_000 {
        observer.observe(&[b'['; 1_000]);
    }
    assert_eq!(observer.completeness(), Completeness::Broken);
}
