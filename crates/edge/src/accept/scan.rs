//! HTTP/1.1 as it stands on the wire, checked before hyper sees it.
//!
//! hyper is a parser, not a policy: it takes lines that end in a bare LF, `Content-Length` beside `Transfer-Encoding`,
//! two `Host` fields. What two readers of one request may read differently is what request smuggling is made of, so
//! every form that RFC 9112 leaves to leniency is refused here, and the scanner and hyper then cannot disagree.
//! Sources: RFC 9112 sections 2.2, 3.2, 5.1, 6 and 7.1; RFC 9110 sections 5.5 and 5.6.2.

use super::chunks::Chunks;

/// Longest head, in bytes: request line and fields.
pub(crate) const HEAD_MAX: usize = 32 * 1024;
/// Most fields in a head.
pub(crate) const FIELDS_MAX: usize = 100;

/// What is wrong with the bytes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Violation {
    /// Not HTTP, or not in the one form that is taken.
    Malformed(&'static str),
    /// The head is longer than [`HEAD_MAX`] or has more than [`FIELDS_MAX`] fields.
    HeadTooLarge,
    /// The head did not come to its end in time.
    HeadTooSlow,
}

/// How a request's body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// This many bytes; none without `Content-Length`.
    Sized(u64),
    /// Chunked transfer coding.
    Chunked,
}

/// What a good head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Its length in bytes, the empty line included.
    pub(super) len: usize,
    /// How its body is framed.
    pub(super) framing: Framing,
}

/// Where in a connection's bytes the reader stands.
#[derive(Debug)]
pub(super) enum Place {
    /// Before or in a head.
    Head,
    /// In a body with this many bytes to come.
    Sized(u64),
    /// In a chunked body.
    Chunked(Chunks),
}

impl From<Framing> for Place {
    fn from(framing: Framing) -> Self {
        match framing {
            Framing::Sized(0) => Self::Head,
            Framing::Sized(len) => Self::Sized(len),
            Framing::Chunked => Self::Chunked(Chunks::default()),
        }
    }
}

/// Looks for a whole head at the start of `bytes`. `seen` is how many of them were looked at before: it spares looking
/// twice when a head comes in pieces. `None`: more bytes are needed.
pub(super) fn head(bytes: &[u8], seen: &mut usize) -> Result<Option<Head>, Violation> {
    if bytes.first().is_some_and(|first| !first.is_ascii_alphabetic()) {
        return Err(Violation::Malformed("a request begins with a method; is this port spoken to in TLS?"));
    }
    for at in memchr::memchr_iter(b'\n', bytes.get(*seen..).unwrap_or_default()) {
        let end = *seen + at + 1;
        match bytes.get(..end).unwrap_or_default() {
            [.., b'\r', b'\n', b'\r', b'\n'] if end > HEAD_MAX => return Err(Violation::HeadTooLarge),
            head @ [.., b'\r', b'\n', b'\r', b'\n'] => {
                let framing = check(head)?;
                return Ok(Some(Head { len: end, framing }));
            }
            [.., b'\r', b'\n'] => {}
            _ => return Err(Violation::Malformed("a line ends in a bare line feed")),
        }
    }
    if bytes.len() > HEAD_MAX {
        return Err(Violation::HeadTooLarge);
    }
    *seen = bytes.len();
    Ok(None)
}

/// Checks one whole head, every line of which ends in CR LF.
fn check(head: &[u8]) -> Result<Framing, Violation> {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let (target, version) = request_line(lines.next().unwrap_or_default())?;
    let mut fields = Fields::default();
    for line in lines.take_while(|line| !line.is_empty()) {
        fields.take(line)?;
    }
    fields.agree_with(target)?;
    fields.framing(version)
}

/// The last digit of HTTP/1's version.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Minor {
    Zero,
    One,
}

fn request_line(line: &[u8]) -> Result<(&[u8], Minor), Violation> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Violation::Malformed("the request line is not a method, a target and a version"));
    };
    if method.is_empty() || !method.iter().all(|byte| is_token(*byte)) {
        return Err(Violation::Malformed("the method is not a token"));
    }
    if target.is_empty() || !target.iter().all(u8::is_ascii_graphic) {
        return Err(Violation::Malformed("only printable ASCII may stand in the request's target"));
    }
    match version {
        b"HTTP/1.1" => Ok((target, Minor::One)),
        b"HTTP/1.0" => Ok((target, Minor::Zero)),
        _ => Err(Violation::Malformed("the version is not one that is spoken here")),
    }
}

/// The fields that decide where a request ends and whom it is for.
#[derive(Default)]
struct Fields<'a> {
    count: usize,
    host: Option<&'a [u8]>,
    length: Option<u64>,
    chunked: bool,
}

impl<'a> Fields<'a> {
    fn take(&mut self, line: &'a [u8]) -> Result<(), Violation> {
        self.count += 1;
        if self.count > FIELDS_MAX {
            return Err(Violation::HeadTooLarge);
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Err(Violation::Malformed("a header field is folded over lines"));
        }
        let colon = memchr::memchr(b':', line).ok_or(Violation::Malformed("a header line has no colon"))?;
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
            return Err(Violation::Malformed("a header field's name is not a token"));
        }
        if value.iter().any(|byte| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f) {
            return Err(Violation::Malformed("a header field's value holds a control character"));
        }
        if name.eq_ignore_ascii_case(b"host") {
            return once(&mut self.host, value, "there is more than one `host`");
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            return once(&mut self.length, digits(value)?, "there is more than one `content-length`");
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            // The only coding there is a use for; a list, a second field or another spelling is read differently
            // by different servers.
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Violation::Malformed("`transfer-encoding` may only be `chunked`, once"));
            }
            self.chunked = true;
        }
        Ok(())
    }

    /// An absolute target (RFC 9112, section 3.2.2) names the host too; both must say the same.
    fn agree_with(&self, target: &[u8]) -> Result<(), Violation> {
        if target.first() == Some(&b'/') {
            return Ok(());
        }
        let Some(at) = target.windows(3).position(|window| window == b"://") else { return Ok(()) };
        let authority = target.get(at + 3..).unwrap_or_default();
        let authority = authority.split(|byte| matches!(byte, b'/' | b'?' | b'#')).next().unwrap_or_default();
        match self.host {
            Some(host) if !host.eq_ignore_ascii_case(authority) => {
                Err(Violation::Malformed("`host` is not the host that the request's target names"))
            }
            _ => Ok(()),
        }
    }

    fn framing(&self, version: Minor) -> Result<Framing, Violation> {
        if version == Minor::One && self.host.is_none() {
            return Err(Violation::Malformed("`host` is missing"));
        }
        match (self.chunked, self.length) {
            (true, Some(_)) => {
                Err(Violation::Malformed("`content-length` and `transfer-encoding` stand together"))
            }
            (true, None) if version == Minor::Zero => {
                Err(Violation::Malformed("HTTP/1.0 knows no `transfer-encoding`"))
            }
            (true, None) => Ok(Framing::Chunked),
            (false, length) => Ok(Framing::Sized(length.unwrap_or(0))),
        }
    }
}

fn once<T>(slot: &mut Option<T>, value: T, twice: &'static str) -> Result<(), Violation> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Violation::Malformed(twice)),
    }
}

/// Digits only: no sign, no list, no blank inside, nothing above 2^64 - 1.
fn digits(value: &[u8]) -> Result<u64, Violation> {
    let all = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| all);
    text.and_then(|text| text.parse().ok())
        .ok_or(Violation::Malformed("`content-length` is not a number of bytes"))
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(bytes: &[u8]) -> Result<Option<Head>, Violation> {
        head(bytes, &mut 0)
    }

    #[test]
    fn good_heads() {
        let cases: [(&str, Framing); 6] = [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Framing::Sized(0)),
            ("GET / HTTP/1.0\r\n\r\n", Framing::Sized(0)),
            ("POST /x HTTP/1.1\r\nhost:a\r\nCONTENT-LENGTH:\t12 \r\n\r\n", Framing::Sized(12)),
            ("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", Framing::Chunked),
            ("GET http://a:1/x HTTP/1.1\r\nHost: A:1\r\n\r\n", Framing::Sized(0)),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: \u{e9}\tb\r\n\r\n", Framing::Sized(0)),
        ];
        for (text, framing) in cases {
            let rest = format!("{text}body");
            assert_eq!(scan(rest.as_bytes()), Ok(Some(Head { len: text.len(), framing })), "{text}");
        }
    }

    #[test]
    fn a_head_in_pieces_is_the_same_head() {
        let text = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
        let mut seen = 0;
        for end in 1..text.len() {
            let found = head(&text[..end], &mut seen).unwrap();
            assert_eq!(found.is_some(), end >= text.len() - 3, "{end}");
        }
    }

    #[test]
    fn too_large() {
        let fields = "X: y\r\n".repeat(FIELDS_MAX);
        let text = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        assert_eq!(scan(text.as_bytes()), Err(Violation::HeadTooLarge));
        let uri = format!("GET /{} HTTP/1.1\r\n", "a".repeat(HEAD_MAX));
        assert_eq!(scan(uri.as_bytes()), Err(Violation::HeadTooLarge));
        assert_eq!(scan(format!("{uri}Host: a\r\n\r\n").as_bytes()), Err(Violation::HeadTooLarge));
    }

    #[test]
    fn every_cut_of_random_bytes_is_answered() {
        for byte in 0..=255_u8 {
            let text = [byte, b'\r', b'\n', b'\r', b'\n'];
            assert!(scan(&text).is_err(), "{byte}");
        }
    }
}
