//! Gemini queries: which parts are the client's credential and stay here, what the rest says about the answer.

use percent_encoding::percent_decode_str;
use secrecy::SecretString;

use crate::{Framing, Operation, PathError};

/// A query taken apart: what goes on to the provider and what does not.
#[derive(Debug, Default)]
pub struct Query {
    /// What goes on: every parameter but the credentials and `callback`, byte for byte and in order. None if there was no
    /// query, or nothing of it is left.
    pub forwarded: Option<String>,
    /// The values of parameters that clients put credentials in, percent-decoded (a `+` stays one), empty ones left out.
    pub credentials: Vec<SecretString>,
    /// Whether the answer was asked for in a form in which neither its end mark nor its usage can be counted on: a
    /// `fields` mask, or an `alt` other than `json` and `sse`.
    pub masked: bool,
}

impl Query {
    /// Takes the raw query apart. Names are compared percent-decoded, and with Google's `$` spellings (`$alt`).
    pub fn read(raw: Option<&str>) -> Self {
        let mut query = Self::default();
        let Some(raw) = raw else { return query };
        let mut kept = Vec::new();
        for piece in raw.split('&') {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            let name = decoded(name);
            match name.strip_prefix('$').unwrap_or(&name) {
                name if is_credential(name) => query.take_credential(value),
                // JSONP would have the provider answer a script.
                "callback" => {}
                name => {
                    query.masked |= name == "fields" || (name == "alt" && !is_json_or_sse(value));
                    kept.push(piece);
                }
            }
        }
        query.forwarded = (!kept.is_empty()).then(|| kept.join("&"));
        query
    }

    fn take_credential(&mut self, value: &str) {
        if !value.is_empty() {
            self.credentials.push(SecretString::from(decoded(value).into_owned()));
        }
    }
}

/// Google's own three, two that other APIs have, and whatever letter case a client wrote them in: what looks like a
/// credential stays here, even where Google would not take it for one.
fn is_credential(name: &str) -> bool {
    let names = ["key", "access_token", "oauth_token", "bearer_token", "api_key"];
    names.iter().any(|credential| name.eq_ignore_ascii_case(credential))
}

/// How the answer is framed: a stream is server-sent events if `alt=sse` asks so, else a JSON array. `alt` given twice with
/// different values is refused, since which of them the provider takes is not known.
pub(crate) fn framing(operation: Operation, query: Option<&str>) -> Result<Framing, PathError> {
    let mut values = parameters(query, "alt").map(|value| value == "sse");
    let sse = values.next();
    if values.any(|other| Some(other) != sse) {
        return Err(PathError::Malformed("`alt` is given twice"));
    }
    Ok(match (operation, sse) {
        (Operation::StreamGenerateContent, Some(true)) => Framing::Sse,
        (Operation::StreamGenerateContent, _) => Framing::JsonArray,
        _ => Framing::Unary,
    })
}

/// The decoded values of the parameter `name`, also spelt `$name`.
pub(crate) fn parameters<'a>(
    query: Option<&'a str>,
    name: &'static str,
) -> impl Iterator<Item = std::borrow::Cow<'a, str>> {
    query.unwrap_or_default().split('&').filter_map(move |piece| {
        let (key, value) = piece.split_once('=').unwrap_or((piece, ""));
        let key = decoded(key);
        (key.strip_prefix('$').unwrap_or(&key) == name).then(|| decoded(value))
    })
}

fn is_json_or_sse(value: &str) -> bool {
    matches!(&*decoded(value), "json" | "sse")
}

/// Bytes that are not UTF-8 become U+FFFD: such a name is none of ours, such a credential matches none.
fn decoded(text: &str) -> std::borrow::Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn read(raw: &str) -> (Option<String>, Vec<String>, bool) {
        let query = Query::read(Some(raw));
        let credentials = query.credentials.iter().map(|value| value.expose_secret().to_owned()).collect();
        (query.forwarded, credentials, query.masked)
    }

    #[test]
    fn credentials_are_taken_out_and_the_rest_stays_as_it_is() {
        let cases: [(&str, Option<&str>, &[&str]); 14] = [
            ("alt=sse", Some("alt=sse"), &[]),
            ("key=abc", None, &["abc"]),
            ("alt=sse&key=abc", Some("alt=sse"), &["abc"]),
            ("key=a%2Fb%2B&alt=sse&x=%7e+1&%6Bey=c", Some("alt=sse&x=%7e+1"), &["a/b+", "c"]),
            ("access_token=t&oauth_token=o&$key=k&%24key=l", None, &["t", "o", "k", "l"]),
            ("Key=a&API_KEY=b&alt=sse&$Bearer_Token=c", Some("alt=sse"), &["a", "b", "c"]),
            ("api_key=a&bearer_token=b&keys=c", Some("keys=c"), &["a", "b"]),
            ("access%5Ftoken=t&prettyPrint=false", Some("prettyPrint=false"), &["t"]),
            ("callback=f&$callback=g&b=2&a=1", Some("b=2&a=1"), &[]),
            ("", Some(""), &[]),
            ("&a&&key=&b", Some("&a&&b"), &[]),
            ("key", None, &[]),
            // Decoded once, like Google does: this is the parameter `%6Bey`, nobody's credential.
            ("%256Bey=v", Some("%256Bey=v"), &[]),
            ("key=%ff", None, &["\u{fffd}"]),
        ];
        for (raw, forwarded, credentials) in cases {
            let (kept, taken, _) = read(raw);
            assert_eq!(
                (kept.as_deref(), taken),
                (forwarded, credentials.iter().map(|c| (*c).to_owned()).collect())
            );
        }
        assert_eq!(Query::read(None).forwarded, None);
    }

    #[test]
    fn a_mask_makes_the_answer_unreadable() {
        for masked in
            ["fields=candidates", "$fields=a", "%24fields=a", "alt=proto", "alt=media", "$alt=proto"]
        {
            assert!(read(masked).2, "{masked}");
        }
        for plain in ["alt=sse", "alt=json", "%24alt=s%73e", "prettyPrint=false", "field=a"] {
            assert!(!read(plain).2, "{plain}");
        }
    }

    #[test]
    fn debug_shows_no_credential() {
        let shown = format!("{:?}", Query::read(Some("key=canary-1&access_token=canary-2&alt=sse")));
        assert!(!shown.contains("canary") && shown.contains("alt=sse"), "{shown}");
    }

    #[test]
    fn alt_decides_the_framing() {
        let stream = Operation::StreamGenerateContent;
        for sse in ["alt=sse", "a=1&alt=sse", "$alt=sse", "%24alt=sse", "alt=%73se", "alt=sse&alt=sse"] {
            assert_eq!(framing(stream, Some(sse)), Ok(Framing::Sse), "{sse}");
        }
        for array in ["", "alt=json", "alt=SSE", "xalt=sse", "alt=sse2", "alt"] {
            assert_eq!(framing(stream, Some(array)), Ok(Framing::JsonArray), "{array}");
        }
        assert_eq!(framing(stream, None), Ok(Framing::JsonArray));
        assert_eq!(framing(Operation::GenerateContent, Some("alt=sse")), Ok(Framing::Unary));
        assert!(framing(stream, Some("alt=sse&$alt=json")).is_err());
    }
}
