//! A body's outermost object with some members taken out and others put in; every other byte stays where it was.

use std::ops::Range;

use super::{BodyProblem, Reader, Told, unescaped};

/// One piece of the new body.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// These bytes of the old one.
    Kept(Range<usize>),
    /// These, which are new.
    Put(String),
}

/// A member of the outermost object: where it stands, from its key's quote to its value's end.
struct Member {
    at: Range<usize>,
    goes: bool,
}

/// The body without the members of these keys, however often and in whatever spelling they stand there, and with those that
/// it has not: a key, and its value as JSON. New ones stand first.
///
/// # Errors
/// See [`BodyProblem`]; keys are not checked for standing twice.
pub fn edited(body: &[u8], without: &[&str], with: &[(&str, String)]) -> Result<Vec<Piece>, BodyProblem> {
    let mut reader = Reader { body, at: 0, told: Told::default() };
    reader.white();
    if reader.peek() != Some(b'{') {
        let other = reader.value_is_whole();
        return Err(if other { BodyProblem::NotAnObject } else { BodyProblem::NotJson });
    }
    let first = reader.at + 1;
    let mut there = vec![false; with.len()];
    let members = members(&mut reader, |key| {
        for (there, (name, _)) in there.iter_mut().zip(with) {
            *there |= *name == key;
        }
        without.contains(&key)
    })?;
    let new = with.iter().zip(&there).filter(|(_, there)| !**there).map(|((name, value), _)| (name, value));
    let mut put = new.map(|(name, value)| format!("\"{name}\":{value}")).collect::<Vec<_>>().join(",");
    if !put.is_empty() && members.iter().any(|member| !member.goes) {
        put.push(',');
    }
    Ok(pieces(body.len(), first, put, &cuts(&members)))
}

/// The members, and of each whether it goes.
fn members(reader: &mut Reader<'_>, mut goes: impl FnMut(&str) -> bool) -> Result<Vec<Member>, BodyProblem> {
    let mut members = Vec::new();
    reader.expect(b'{')?;
    if !reader.takes(b'}') {
        loop {
            reader.white();
            let start = reader.at;
            let key = reader.text()?;
            let key = unescaped(&reader.body[key]).ok_or(BodyProblem::NotJson)?;
            reader.expect(b':')?;
            reader.white();
            reader.skip()?;
            members.push(Member { at: start..reader.at, goes: goes(&key) });
            if reader.takes(b'}') {
                break;
            }
            reader.expect(b',')?;
        }
    }
    reader.white();
    if reader.peek().is_none() { Ok(members) } else { Err(BodyProblem::NotJson) }
}

/// What is left out: a member and the comma behind it, or, of the last ones, the comma before them.
fn cuts(members: &[Member]) -> Vec<Range<usize>> {
    let mut cuts = Vec::new();
    let mut kept_end = None;
    for (index, member) in members.iter().enumerate() {
        if !member.goes {
            kept_end = Some(member.at.end);
            continue;
        }
        let stays = members.get(index + 1..).and_then(|after| after.iter().find(|after| !after.goes));
        // Those before the same one that stays make one cut; behind the last of them the comma before them goes.
        let start = if stays.is_some() { member.at.start } else { kept_end.unwrap_or(member.at.start) };
        let end = stays.map(|stays| stays.at.start).or(members.last().map(|last| last.at.end));
        cuts.push(start..end.unwrap_or(start));
    }
    cuts.dedup_by(|next, before| next.end == before.end);
    cuts
}

fn pieces(length: usize, first: usize, put: String, cuts: &[Range<usize>]) -> Vec<Piece> {
    let mut pieces = vec![Piece::Kept(0..first)];
    if !put.is_empty() {
        pieces.push(Piece::Put(put));
    }
    let mut from = first;
    for cut in cuts {
        pieces.push(Piece::Kept(from..cut.start));
        from = cut.end;
    }
    pieces.push(Piece::Kept(from..length));
    pieces.retain(|piece| !matches!(piece, Piece::Kept(range) if range.is_empty()));
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn made(body: &str, without: &[&str], with: &[(&str, &str)]) -> String {
        let with: Vec<_> = with.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let pieces = edited(body.as_bytes(), without, &with).unwrap().into_iter();
        pieces
            .map(|piece| match piece {
                Piece::Kept(range) => body[range].to_owned(),
                Piece::Put(text) => text,
            })
            .collect()
    }

    #[test]
    fn members_go_and_nothing_else_moves() {
        for (body, expected) in [
            (r#"{"model":"m"}"#, "{}"),
            (r#"{"model":"m","a":1}"#, r#"{"a":1}"#),
            (r#"{"a":1,"model":"m"}"#, r#"{"a":1}"#),
            (r#" { "a" : 1 , "model" : "m" , "b":{"model":"x"} } "#, r#" { "a" : 1 , "b":{"model":"x"} } "#),
            (r#"{"a":1, "model":"m" ,"stream":true }"#, r#"{"a":1 }"#),
            (r#"{"model":"m","stream":true,"a":1}"#, r#"{"a":1}"#),
            (r#"{"model":"m","a":1,"stream":true,"b":2,"model":"n"}"#, r#"{"a":1,"b":2}"#),
            (r#"{"mod\u0065l":"m","a":"\"}"}"#, r#"{"a":"\"}"}"#),
            ("{}", "{}"),
        ] {
            assert_eq!(made(body, &["model", "stream"], &[]), expected, "{body}");
        }
    }

    #[test]
    fn members_come_first_and_only_where_they_are_missing() {
        for (body, expected) in [
            ("{}", r#"{"v":"1"}"#),
            (r#"{ "a":1}"#, r#"{"v":"1", "a":1}"#),
            (r#"{"model":"m"}"#, r#"{"v":"1"}"#),
            (r#"{"v":"2","model":"m"}"#, r#"{"v":"2"}"#),
        ] {
            assert_eq!(made(body, &["model"], &[("v", "\"1\"")]), expected, "{body}");
        }
        assert_eq!(made("{\"a\":1}", &[], &[("v", "1"), ("w", "[]")]), r#"{"v":1,"w":[],"a":1}"#);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for (body, problem) in [
            ("[]", BodyProblem::NotAnObject),
            ("", BodyProblem::NotJson),
            (r#"{"a":1"#, BodyProblem::NotJson),
            (r#"{"a":1}x"#, BodyProblem::NotJson),
            (r#"{"a" 1}"#, BodyProblem::NotJson),
        ] {
            assert_eq!(edited(body.as_bytes(), &["a"], &[]), Err(problem), "{body}");
        }
    }

    proptest! {
        /// Read as JSON, the new body is the old one with the members out and in.
        #[test]
        fn it_means_what_was_asked(
            members in proptest::collection::vec((0..5_usize, any::<u16>(), 0..3_usize), 0..8),
        ) {
            const KEYS: [&str; 5] = ["model", "stream", "a", "b", "v"];
            let texts: Vec<_> = members
                .iter()
                .map(|(key, value, white)| format!("{0}\"{1}\"{0}: {value}{0}", " ".repeat(*white), KEYS[*key]))
                .collect();
            let body = format!("{{{}}}", texts.join(","));
            let came = made(&body, &["model", "stream"], &[("v", "7")]);
            let mut expected: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&body).unwrap();
            expected.remove("model");
            expected.remove("stream");
            expected.entry("v").or_insert(7.into());
            let came: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&came).unwrap();
            prop_assert_eq!(came, expected);
        }
    }
}
