//! What a request's JSON body says of its call: the model, which is an endpoint's alias, and whether the answer streams.
//!
//! One pass over the bytes, no tree: texts, which are nearly all of a body, are passed over by searching for their closing
//! quote. Not a validator: what is malformed beyond the fields that are read is the provider's to refuse.

pub mod members;

use std::{borrow::Cow, ops::Range};

use fault::Fault;

/// What is looked for in the bodies of one operation.
#[derive(Debug)]
pub struct Shape(pub(crate) &'static [Field]);

/// A key, and what its value is for.
#[derive(Debug)]
pub(crate) struct Field(pub(crate) &'static str, pub(crate) Is);

/// What a value is for.
#[derive(Debug)]
pub(crate) enum Is {
    /// The text that names the model.
    Model,
    /// Whether the answer streams.
    Stream,
    /// A key that tells two operations apart by being there.
    Sign(Sign),
    /// An object with these fields.
    Object(&'static [Field]),
    /// An array of objects with these fields.
    Each(&'static [Field]),
}

/// A key by which a body says what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// `messages`: a chat.
    Messages,
    /// `input`: texts to embed.
    Input,
}

/// What a body said.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told<'a> {
    /// Where the model is named, in order; the names are as the client meant them, unescaped.
    pub models: Vec<Mention<'a>>,
    /// The field `stream`, if it is there and not `null`.
    pub stream: Option<bool>,
    /// Whether `messages` is there.
    pub messages: bool,
    /// Whether `input` is there.
    pub input: bool,
    /// Where the first member of the outermost object would stand, and whether there is another member after it.
    pub first_member: (usize, bool),
}

/// One place where a body names a model.
#[derive(Debug, PartialEq, Eq)]
pub struct Mention<'a> {
    /// The bytes between the quotes.
    pub at: Range<usize>,
    /// What they mean.
    pub name: Cow<'a, str>,
}

/// Why a body cannot be read. Messages are for the caller and never repeat the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyProblem {
    /// The brackets, quotes or commas do not close.
    #[error("the request's body is not valid JSON")]
    NotJson,
    /// The body is valid JSON of another kind.
    #[error("the request's body must be a JSON object")]
    NotAnObject,
    /// A field that decides where the call goes stands twice: which one counts is not known.
    #[error("the field `{0}` stands twice in the request's body")]
    Twice(&'static str),
    /// A field has a value of another type.
    #[error("the field `{0}` of the request's body must be {1}")]
    Type(&'static str, &'static str),
}

impl BodyProblem {
    /// What it is called on every face.
    pub const fn fault(self) -> Fault {
        Fault::BadRequest
    }
}

impl Told<'_> {
    /// Leaves what stands before the name of a resource (`models/`) out of every mention, as Gemini's bodies have it.
    pub(crate) fn without(mut self, body: &[u8], before: &str) -> Self {
        for Mention { at, name } in &mut self.models {
            let Some(rest) = name.strip_prefix(before) else { continue };
            // An escape may stand for any of its characters.
            let written = &body[at.clone()];
            let is_whole = |end: &usize| {
                let head = written.get(..*end).and_then(unescaped);
                head.is_some_and(|head| head == before)
            };
            let Some(end) = (before.len()..=written.len()).find(is_whole) else { continue };
            at.start += end;
            *name = Cow::Owned(rest.to_owned());
        }
        self
    }
}

/// Reads what `shape` looks for. Objects that `shape` names and that hold one of its keys twice are refused.
///
/// # Errors
/// See [`BodyProblem`]; nothing is guessed.
pub fn read<'a>(body: &'a [u8], shape: &Shape) -> Result<Told<'a>, BodyProblem> {
    let mut reader = Reader { body, at: 0, told: Told::default() };
    reader.white();
    if reader.peek() != Some(b'{') {
        let other = reader.value_is_whole();
        return Err(if other { BodyProblem::NotAnObject } else { BodyProblem::NotJson });
    }
    reader.told.first_member.0 = reader.at + 1;
    reader.object(shape.0, true)?;
    reader.white();
    match reader.peek() {
        None => Ok(reader.told),
        Some(_) => Err(BodyProblem::NotJson),
    }
}

struct Reader<'a> {
    body: &'a [u8],
    at: usize,
    told: Told<'a>,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn white(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Takes the next byte that is not white space, if it is `wanted`.
    fn takes(&mut self, wanted: u8) -> bool {
        self.white();
        let there = self.peek() == Some(wanted);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, wanted: u8) -> Result<(), BodyProblem> {
        if self.takes(wanted) { Ok(()) } else { Err(BodyProblem::NotJson) }
    }

    /// An object whose `{` is next.
    fn object(&mut self, fields: &'static [Field], outermost: bool) -> Result<(), BodyProblem> {
        self.expect(b'{')?;
        if self.takes(b'}') {
            return Ok(());
        }
        self.told.first_member.1 |= outermost;
        let mut seen = 0_u32;
        loop {
            self.white();
            let key = self.text()?;
            self.expect(b':')?;
            self.white();
            match self.field(key, fields) {
                None => self.skip()?,
                Some((index, field)) => {
                    if seen & (1 << index) != 0 {
                        return Err(BodyProblem::Twice(field.0));
                    }
                    seen |= 1 << index;
                    self.wanted(field)?;
                }
            }
            if self.takes(b'}') {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    /// The field of that key. A key may be spelt with escapes; it means the same.
    fn field(&self, key: Range<usize>, fields: &'static [Field]) -> Option<(usize, &'static Field)> {
        let written = &self.body[key];
        let key = match memchr::memchr(b'\\', written) {
            None => std::str::from_utf8(written).ok()?.into(),
            Some(_) => unescaped(written)?,
        };
        fields.iter().enumerate().find(|(_, field)| field.0 == key)
    }

    fn wanted(&mut self, field: &'static Field) -> Result<(), BodyProblem> {
        match (&field.1, self.peek()) {
            (Is::Model, Some(b'"')) => {
                let at = self.text()?;
                let name = self.name(at.clone()).ok_or(BodyProblem::Type(field.0, "a text"))?;
                self.told.models.push(Mention { at, name });
                Ok(())
            }
            (Is::Model, _) => Err(BodyProblem::Type(field.0, "a text")),
            (Is::Stream, _) => self.stream(field.0),
            (Is::Sign(sign), _) => {
                match sign {
                    Sign::Messages => self.told.messages = true,
                    Sign::Input => self.told.input = true,
                }
                self.skip()
            }
            (Is::Object(fields), Some(b'{')) => self.object(fields, false),
            (Is::Each(fields), Some(b'[')) => self.each(fields),
            // A value of another kind is the provider's to refuse.
            (Is::Object(_) | Is::Each(_), _) => self.skip(),
        }
    }

    fn name(&self, at: Range<usize>) -> Option<Cow<'a, str>> {
        let written = &self.body[at];
        match memchr::memchr(b'\\', written) {
            None => std::str::from_utf8(written).ok().map(Cow::Borrowed),
            Some(_) => unescaped(written),
        }
    }

    fn stream(&mut self, key: &'static str) -> Result<(), BodyProblem> {
        let start = self.at;
        self.skip()?;
        self.told.stream = match &self.body[start..self.at] {
            b"true" => Some(true),
            b"false" => Some(false),
            b"null" => None,
            _ => return Err(BodyProblem::Type(key, "true or false")),
        };
        Ok(())
    }

    fn each(&mut self, fields: &'static [Field]) -> Result<(), BodyProblem> {
        self.expect(b'[')?;
        if self.takes(b']') {
            return Ok(());
        }
        loop {
            self.white();
            match self.peek() {
                Some(b'{') => self.object(fields, false)?,
                _ => self.skip()?,
            }
            if self.takes(b']') {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    /// A text whose quote is next: what stands between the quotes, as it is written.
    fn text(&mut self) -> Result<Range<usize>, BodyProblem> {
        if self.peek() != Some(b'"') {
            return Err(BodyProblem::NotJson);
        }
        let start = self.at + 1;
        let mut from = start;
        loop {
            let rest = self.body.get(from..).unwrap_or_default();
            let at = from + memchr::memchr2(b'"', b'\\', rest).ok_or(BodyProblem::NotJson)?;
            if self.body[at] == b'"' {
                self.at = at + 1;
                return Ok(start..at);
            }
            from = at + 2;
        }
    }

    /// Passes over any value, however deep, without following it.
    fn skip(&mut self) -> Result<(), BodyProblem> {
        match self.peek().ok_or(BodyProblem::NotJson)? {
            b'"' => self.text().map(drop),
            b'{' | b'[' => self.brackets(),
            _ => self.word(),
        }
    }

    fn brackets(&mut self) -> Result<(), BodyProblem> {
        let mut depth = 0_u64;
        loop {
            match self.peek().ok_or(BodyProblem::NotJson)? {
                b'"' => {
                    self.text()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<(), BodyProblem> {
        let rest = &self.body[self.at..];
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
        let length = rest.iter().position(|byte| !plain(byte)).unwrap_or(rest.len());
        self.at += length;
        if length > 0 { Ok(()) } else { Err(BodyProblem::NotJson) }
    }

    /// Whether exactly one value, of whatever kind, is left.
    fn value_is_whole(&mut self) -> bool {
        let skipped = self.skip().is_ok();
        self.white();
        skipped && self.peek().is_none()
    }
}

/// The meaning of a text that has escapes; none where they are malformed.
fn unescaped<'a>(written: &[u8]) -> Option<Cow<'a, str>> {
    let mut quoted = Vec::with_capacity(written.len() + 2);
    quoted.push(b'"');
    quoted.extend_from_slice(written);
    quoted.push(b'"');
    serde_json::from_slice::<String>(&quoted).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape(&[
        Field("model", Is::Model),
        Field("stream", Is::Stream),
        Field("messages", Is::Sign(Sign::Messages)),
        Field("requests", Is::Each(&[Field("params", Is::Object(&[Field("model", Is::Model)]))])),
    ]);

    fn names(body: &str) -> Vec<String> {
        read(body.as_bytes(), &SHAPE).unwrap().models.into_iter().map(|one| one.name.into_owned()).collect()
    }

    #[test]
    fn the_model_is_found_wherever_it_stands_and_nowhere_else() {
        for (body, expected) in [
            (r#"{"model":"a"}"#, vec!["a"]),
            (r#" { "x" : [1,{"model":"no"}] , "model" : "a" } "#, vec!["a"]),
            (r#"{"messages":[{"content":"\"model\":\"no\""}],"model":"é\u0061\/b"}"#, vec!["éa/b"]),
            (r#"{"mod\u0065l":"a"}"#, vec!["a"]),
            (r#"{"x":{"model":"no"}}"#, vec![]),
            (r#"{"requests":[{"params":{"model":"a"}},3,{"params":{"x":1,"model":"b"}}]}"#, vec!["a", "b"]),
            ("{}", vec![]),
        ] {
            assert_eq!(names(body), expected, "{body}");
        }
    }

    #[test]
    fn a_mention_is_the_bytes_between_the_quotes() {
        let body = br#"{"a":1,"model":"x\u0041"}"#;
        let told = read(body, &SHAPE).unwrap();
        assert_eq!(&body[told.models[0].at.clone()], br"x\u0041");
        assert_eq!(told.models[0].name, "xA");
    }

    #[test]
    fn what_cannot_be_read_one_way_only_is_refused() {
        for (body, problem) in [
            (r#"{"model":"a","model":"b"}"#, BodyProblem::Twice("model")),
            (r#"{"model":"a","mod\u0065l":"b"}"#, BodyProblem::Twice("model")),
            (r#"{"stream":true,"model":"a","stream":false}"#, BodyProblem::Twice("stream")),
            (r#"{"model":7}"#, BodyProblem::Type("model", "a text")),
            (r#"{"model":null}"#, BodyProblem::Type("model", "a text")),
            (r#"{"stream":"yes"}"#, BodyProblem::Type("stream", "true or false")),
            (r#"{"stream":1}"#, BodyProblem::Type("stream", "true or false")),
            ("[]", BodyProblem::NotAnObject),
            ("null", BodyProblem::NotAnObject),
            ("\"x\"", BodyProblem::NotAnObject),
            ("", BodyProblem::NotJson),
            ("{", BodyProblem::NotJson),
            (r#"{"model":"a"#, BodyProblem::NotJson),
            (r#"{"model":"a"}}"#, BodyProblem::NotJson),
            (r#"{"model" "a"}"#, BodyProblem::NotJson),
            (r#"{"a":}"#, BodyProblem::NotJson),
            (r#"{"a":"\"#, BodyProblem::NotJson),
        ] {
            assert_eq!(read(body.as_bytes(), &SHAPE), Err(problem), "{body}");
        }
    }

    #[test]
    fn streams_and_signs() {
        let told = |body: &str| {
            let told = read(body.as_bytes(), &SHAPE).unwrap();
            (told.stream, told.messages, told.first_member)
        };
        assert_eq!(told(r#"{"stream": true}"#), (Some(true), false, (1, true)));
        assert_eq!(told(r#" {"messages":[],"stream":false}"#), (Some(false), true, (2, true)));
        assert_eq!(told(r#"{"stream":null}"#), (None, false, (1, true)));
        assert_eq!(told("{}"), (None, false, (1, false)));
    }

    #[test]
    fn what_stands_before_a_resource_is_left_out() {
        for (written, kept) in [
            ("models/chat", "chat"),
            ("models\\/chat", "chat"),
            ("m\\u006fdels/ch\\u0061t", "ch\\u0061t"),
            ("chat", "chat"),
            ("models/", ""),
        ] {
            let body = format!("{{\"model\":\"{written}\"}}");
            let told = read(body.as_bytes(), &SHAPE).unwrap().without(body.as_bytes(), "models/");
            let mention = &told.models[0];
            assert_eq!(&body[mention.at.clone()], kept);
            assert_eq!(mention.name, if kept.is_empty() { "" } else { "chat" });
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{{\"x\":{}{},\"model\":\"a\"}}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(names(&deep), ["a"]);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            let _ = read(&bytes, &SHAPE);
        }

        #[test]
        fn agrees_with_a_parser(value in "\\PC{0,12}", before in "\\PC{0,12}") {
            let body = serde_json::json!({ "before": [before, { "model": 1 }], "model": value, "z": {} }).to_string();
            proptest::prop_assert_eq!(names(&body), vec![value]);
        }
    }
}
