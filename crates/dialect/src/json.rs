//! Writes JSON of our own in plain ASCII.

use std::io;

use bytes::Bytes;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// `value` as JSON on one line, everything but printable ASCII escaped. google-genai's Python client reads streams by
/// `str.splitlines`, which also breaks lines at U+2028, U+0085 and others: none of them may stand in a frame of ours.
pub(crate) fn ascii(value: &impl Serialize) -> Bytes {
    let mut written = Vec::with_capacity(256);
    ascii_into(&mut written, value);
    written.into()
}

/// As [`ascii`], behind what is already in `written`.
#[expect(clippy::expect_used, reason = "writing our own structs into memory cannot fail")]
pub(crate) fn ascii_into(written: &mut Vec<u8>, value: &impl Serialize) {
    let mut serializer = Serializer::with_formatter(written, Ascii);
    value.serialize(&mut serializer).expect("structs of text and numbers are JSON");
}

struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let plain = |c: char| c.is_ascii() && !c.is_ascii_control();
        let mut rest = fragment;
        while let Some(at) = rest.find(|c| !plain(c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let next = rest[at..].find(plain).map_or(rest.len(), |length| at + length);
            for unit in rest[at..next].encode_utf16() {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[next..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_from_one_line_of_ascii() {
        for text in ["", "plain", "a\"b\\c\n\r\t\0", "ünï 😀 \u{2028}\u{85}\u{7f}\u{feff}", "😀", "a😀"]
        {
            let written = ascii(&text);
            assert!(written.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' '), "{written:?}");
            assert_eq!(serde_json::from_slice::<String>(&written).unwrap(), text);
        }
    }
}
