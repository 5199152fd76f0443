//! Every cut of every recording: how the pieces arrive makes no difference, and what is cut short is never complete.

use std::fmt::Write as _;

use dialect::{Completeness, Framing, Observer, Operation, Usage};

use crate::{
    oracle::{Oracle, Outcome},
    recordings::{self, Recording},
};

#[test]
fn every_recording_is_read_as_it_should_be() {
    let mut table = String::new();
    for Recording { name, framing, bytes } in recordings::gemini() {
        let Outcome { completeness, usage, at_boundary, .. } = Outcome::fed(framing, [&bytes[..]]);
        let Usage { input, output, cached, thoughts, tool_use } = usage;
        let count = |count: Option<u64>| count.map_or("-".to_owned(), |count| count.to_string());
        let counts = [input, output, cached, thoughts, tool_use].map(count).join(" ");
        let boundary = if at_boundary { " boundary" } else { "" };
        writeln!(table, "{name}: {framing:?} {completeness:?} [{counts}]{boundary}").unwrap();
    }
    insta::assert_snapshot!(table);
}

#[test]
fn every_cut_gives_what_the_whole_gives() {
    for Recording { name, framing, bytes } in recordings::gemini() {
        let whole = Outcome::fed(framing, [&bytes[..]]);
        for at in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(at);
            assert_eq!(Outcome::fed(framing, [head, tail]), whole, "{name} cut at {at}");
        }
        assert_eq!(Outcome::fed(framing, bytes.chunks(1)), whole, "{name} byte by byte");
    }
}

#[test]
fn what_ends_early_is_never_complete() {
    for Recording { name, framing, bytes } in recordings::gemini() {
        if framing == Framing::Unary {
            continue;
        }
        let (oracle, boundaries) = read_whole(framing, &bytes);
        let mut observer = Observer::new(Operation::StreamGenerateContent, framing, true);
        for length in 0..=bytes.len() {
            if length > 0 {
                observer.observe(&bytes[length - 1..length]);
            }
            let at_boundary = boundaries.contains(&length);
            let closed = match framing {
                Framing::JsonArray => bytes[..length].trim_ascii_end().ends_with(b"\n]"),
                _ => at_boundary,
            };
            let (completeness, usage) = oracle.at(length, closed);
            let seen = Outcome::of(&observer);
            assert_eq!((seen.completeness, seen.usage), (completeness, usage), "{name} ended at {length}");
            let may_follow = at_boundary && completeness != Completeness::ProviderError;
            assert_eq!(seen.at_boundary, may_follow, "{name} at {length}");
            assert_eq!(seen.started, length > 0, "{name} at {length}");
        }
    }
}

/// Where elements end, and where one more may follow.
fn read_whole(framing: Framing, bytes: &[u8]) -> (Oracle, Vec<usize>) {
    let text = std::str::from_utf8(bytes).unwrap();
    let mut oracle = Oracle::default();
    let mut boundaries = vec![0];
    if framing == Framing::JsonArray {
        // The recordings' arrays are pretty-printed: only an element's own bracket stands at the start of a line.
        let mut begin = 1;
        for (at, _) in text.match_indices("\n}") {
            let end = at + 2;
            oracle.push(end, &serde_json::from_str(&text[begin..end]).unwrap());
            begin = end + "\n,\r\n".len();
            boundaries.extend([end, end + 1]);
        }
        return (oracle, boundaries);
    }
    let (data, bare) = text.split_at(text.find("\n{").map_or(text.len(), |at| at + 1));
    let mut begin = 0;
    for line in data.split_inclusive('\n') {
        let end = begin + line.len();
        if let Some(payload) = line.strip_prefix("data:") {
            // An element is read once its bracket closes.
            oracle.push(begin + line.trim_end().len(), &serde_json::from_str(payload).unwrap());
        } else {
            boundaries.push(end);
        }
        begin = end;
    }
    if !bare.is_empty() {
        oracle.push(begin + bare.trim_end().len(), &serde_json::from_str(bare).unwrap());
    }
    (oracle, boundaries)
}
