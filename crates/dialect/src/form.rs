//! What a request's `multipart/form-data` body (RFC 7578) says of its call: the fields `model` and `stream`.

use std::{borrow::Cow, ops::Range};

use fault::Fault;
use memchr::memmem;

use crate::body::{Mention, Told};

/// Why a form cannot be read. Messages are for the caller and never repeat the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormProblem {
    /// `content-type` has no boundary, or none that RFC 2046 allows.
    #[error("the `content-type` of a form must have a `boundary` of 1 to 70 characters")]
    NoBoundary,
    /// The parts do not follow the boundary, or the last one does not end.
    #[error("the request's body is not a whole multipart form")]
    NotAForm,
    /// A field that decides where the call goes stands twice.
    #[error("the form's field `{0}` stands twice")]
    Twice(&'static str),
    /// A field that is read is not UTF-8, or `stream` is neither `true` nor `false`.
    #[error("the form's field `{0}` cannot be read")]
    Value(&'static str),
}

impl FormProblem {
    /// What it is called on every face.
    pub const fn fault(self) -> Fault {
        Fault::BadRequest
    }
}

/// Whether this is the `content-type` of a form.
pub fn is_form(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("multipart/form-data")
}

/// Reads a whole form. Parts with a file name are never looked into.
///
/// # Errors
/// See [`FormProblem`]; nothing is guessed.
pub fn read<'a>(body: &'a [u8], content_type: &str) -> Result<Told<'a>, FormProblem> {
    let boundary = boundary(content_type).ok_or(FormProblem::NoBoundary)?;
    let mut told = Told::default();
    for part in parts(body, &boundary)? {
        match field_name(&body[part.head]).as_deref() {
            Some("model") if !told.models.is_empty() => return Err(FormProblem::Twice("model")),
            Some("stream") if told.stream.is_some() => return Err(FormProblem::Twice("stream")),
            Some("model") => {
                let name = std::str::from_utf8(&body[part.content.clone()]);
                let name = Cow::Borrowed(name.map_err(|_| FormProblem::Value("model"))?);
                told.models.push(Mention { at: part.content, name });
            }
            Some("stream") => {
                told.stream = match &body[part.content] {
                    b"true" | b"True" | b"1" => Some(true),
                    b"false" | b"False" | b"0" | b"" => Some(false),
                    _ => return Err(FormProblem::Value("stream")),
                }
            }
            _ => {}
        }
    }
    Ok(told)
}

/// A part's header lines, each with its line end, and its content.
struct Part {
    head: Range<usize>,
    content: Range<usize>,
}

/// The parts between their delimiters: `--boundary` at the beginning of a line, `--boundary--` at the end.
fn parts(body: &[u8], boundary: &str) -> Result<Vec<Part>, FormProblem> {
    let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
    let finder = memmem::Finder::new(&delimiter);
    // The first delimiter may stand at the very beginning, without a line end before it.
    let mut at = match body.strip_prefix(&delimiter[2..]) {
        Some(_) => delimiter.len() - 2,
        None => finder.find(body).ok_or(FormProblem::NotAForm)? + delimiter.len(),
    };
    let mut parts = Vec::new();
    loop {
        let rest = &body[at..];
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if !rest[padding..].starts_with(b"\r\n") {
            return Err(FormProblem::NotAForm);
        }
        let head = at + padding + 2;
        // An empty head is a blank line at once.
        let blank = if body[head..].starts_with(b"\r\n") {
            head
        } else {
            head + memmem::find(&body[head..], b"\r\n\r\n").ok_or(FormProblem::NotAForm)? + 2
        };
        let content = blank + 2;
        // The line end before a delimiter belongs to it, also that of an empty content.
        let from = content - 2;
        let end = from + finder.find(&body[from..]).ok_or(FormProblem::NotAForm)?;
        parts.push(Part { head: head..blank, content: content..end.max(content) });
        at = end + delimiter.len();
    }
}

/// The name of a part that is a field; none for files and for parts without a name.
fn field_name(head: &[u8]) -> Option<String> {
    let head = std::str::from_utf8(head).ok()?;
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let is_file = parameter(disposition, "filename").or_else(|| parameter(disposition, "filename*"));
    if is_file.is_some() { None } else { parameter(disposition, "name") }
}

fn boundary(content_type: &str) -> Option<String> {
    parameter(content_type, "boundary").filter(|boundary| (1..=70).contains(&boundary.len()))
}

/// The value of a parameter, quoted or not (RFC 9110, section 5.6.6).
fn parameter(value: &str, wanted: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (found, next) = if let Some(quoted) = after.strip_prefix('"') {
            quoted_text(quoted)?
        } else {
            let end = after.find(';').unwrap_or(after.len());
            (after[..end].trim().to_owned(), &after[end..])
        };
        if name.trim().trim_start_matches(';').trim().eq_ignore_ascii_case(wanted) {
            return Some(found);
        }
        rest = next.trim_start().strip_prefix(';')?;
    }
}

/// A quoted text up to its closing quote, and what follows.
fn quoted_text(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((text, &quoted[at + 1..])),
            '\\' => text.push(characters.next()?.1),
            _ => text.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=XX";

    fn model(body: &str) -> Result<Vec<(Range<usize>, String)>, FormProblem> {
        let told = read(body.as_bytes(), TYPE)?;
        Ok(told.models.into_iter().map(|one| (one.at, one.name.into_owned())).collect())
    }

    #[test]
    fn the_field_is_found_and_its_bytes_are_named() {
        let body = "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"model\"\r\n\
                    Content-Type: audio/wav\r\n\r\nx--XX\0binary\r\n-\r\n--XX\r\n\
                    content-disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n--XX--\r\n";
        let found = model(body).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((&body[found[0].0.clone()], found[0].1.as_str()), ("whisper", "whisper"));
    }

    #[test]
    fn forms_of_every_kind() {
        let part = |head: &str, content: &str| format!("--XX\r\n{head}\r\n\r\n{content}\r\n");
        let field =
            |name: &str, value: &str| part(&format!("Content-Disposition: form-data; name={name}"), value);
        let whole = |parts: &[String]| format!("{}--XX--", parts.concat());
        let first = |body: &str| model(body).map(|found| found.first().map(|one| one.1.clone()));
        assert_eq!(first(&whole(&[field("model", "a")])), Ok(Some("a".into())));
        assert_eq!(first(&whole(&[field("model", "")])), Ok(Some(String::new())));
        assert_eq!(first(&whole(&[field("\"mo\\del\"", "a")])), Ok(Some("a".into())));
        assert_eq!(first(&whole(&[field("x", "a"), field("model", "b")])), Ok(Some("b".into())));
        assert_eq!(first(&whole(&[])), Ok(None));
        assert_eq!(first(&format!("preamble\r\n{}", whole(&[field("model", "a")]))), Ok(Some("a".into())));
        assert_eq!(
            first(&whole(&[field("model", "a"), field("model", "b")])),
            Err(FormProblem::Twice("model"))
        );
        for broken in ["", "--XX", "--XX\r\n", "--XX\r\nA: b\r\n\r\nx", "--XY--", "--XXX\r\n"] {
            assert_eq!(model(broken), Err(FormProblem::NotAForm), "{broken:?}");
        }
    }

    #[test]
    fn streams_are_asked_for_in_a_field() {
        let body = "--XX\r\nContent-Disposition: form-data; name=\"stream\"\r\n\r\ntrue\r\n--XX--\r\n";
        assert_eq!(read(body.as_bytes(), TYPE).unwrap().stream, Some(true));
        let body = body.replace("true", "maybe");
        assert_eq!(read(body.as_bytes(), TYPE), Err(FormProblem::Value("stream")));
    }

    #[test]
    fn boundaries() {
        for (content_type, expected) in [
            ("multipart/form-data; boundary=a", Some("a")),
            ("multipart/form-data; charset=utf-8; boundary=\"a b\"", Some("a b")),
            ("multipart/form-data;BOUNDARY=a;x=y", Some("a")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
        ] {
            assert_eq!(boundary(content_type).as_deref(), expected, "{content_type}");
            assert!(is_form(content_type));
        }
        assert!(!is_form("application/json; boundary=a"));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80), inside in 0..3_u8) {
            let mut body = b"--XX\r\n".to_vec();
            body.extend_from_slice(&bytes);
            if inside > 0 {
                body.extend_from_slice(b"\r\n--XX--");
            }
            let _ = read(&body, TYPE);
            let _ = read(&bytes, &String::from_utf8_lossy(&bytes));
        }
    }
}
