//! A script and a request become an answer: head, pieces, end. Pure; the protocols only carry it out.

use std::collections::VecDeque;
use std::io::Write as _;

use bytes::{Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::book::Head;
use crate::provider::{Asked, Natural, Shape};
use crate::script::{Body, Cut, End, Framing, Pause, Script, Split};

/// An answer, ready to be sent.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Every header but those of the framing.
    pub(crate) headers: Vec<(String, String)>,
    /// The `content-length` to announce; None: chunked, or by the end of the connection.
    pub(crate) length: Option<u64>,
    /// Whether HTTP/1.1 ends it by closing the connection.
    pub(crate) by_close: bool,
    pub(crate) pieces: Pieces,
    pub(crate) cut: Option<Cut>,
}

/// The body of an answer, piece by piece.
#[derive(Debug)]
pub(crate) struct Pieces {
    source: Source,
    held: Bytes,
    sent: usize,
    end: usize,
    pause: Option<Pause>,
}

#[derive(Debug)]
enum Source {
    List(VecDeque<Bytes>),
    Generated { asked: Asked, next: u32, chunks: u32, size: usize },
}

/// What comes next in a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Piece(Bytes),
    WaitAt(String),
}

impl Answer {
    /// What a provider without a script says: a script in the model's name, else its usual answer, or its refusal.
    pub(crate) fn unscripted(head: &Head, body: &[u8]) -> (Script, Option<Natural>) {
        match Asked::read(head, body) {
            Ok(asked) => (Script::from_words(&asked.model).unwrap_or_default(), None),
            Err(refusal) => (Script::status(refusal.status), Some(refusal)),
        }
    }

    /// Carries out `script` for a request. `refusal` stands for the provider's natural answer where it refuses.
    pub(crate) fn new(script: &Script, refusal: Option<Natural>, head: &Head, body: &[u8]) -> Self {
        let asked = Asked::read(head, body);
        let natural = match (refusal, &asked) {
            (Some(refusal), _) => refusal,
            (None, Ok(asked)) => asked.natural(script.status),
            (None, Err(refusal)) => Natural { status: script.status, ..refusal.clone() },
        };
        let headers = headers(script, &natural);
        let (source, streamed) = source(script, asked.ok(), natural.parts);
        let total = match &source {
            Source::List(list) => Some(list.iter().map(Bytes::len).sum()),
            Source::Generated { .. } => None,
        };
        let (end, cut) = match script.end {
            End::Clean => (usize::MAX, None),
            End::Cut { at, how } => (at, Some(how)),
        };
        Self {
            status: script.status,
            headers,
            length: length(script, streamed, total),
            by_close: script.framing == Framing::Close,
            pieces: Pieces { source, held: Bytes::new(), sent: 0, end, pause: script.pause.clone() },
            cut,
        }
    }
}

impl Pieces {
    /// The next step; None at the end, or where the answer is cut.
    pub(crate) fn next(&mut self) -> Option<Step> {
        if self.pause.as_ref().is_some_and(|pause| pause.at <= self.sent) {
            return self.pause.take().map(|pause| Step::WaitAt(pause.gate));
        }
        if self.held.is_empty() {
            self.held = self.source.next()?;
        }
        let until = self.pause.as_ref().map_or(self.end, |pause| self.end.min(pause.at));
        let room = until - self.sent;
        if room == 0 {
            return None;
        }
        let piece = self.held.split_to(room.min(self.held.len()));
        self.sent += piece.len();
        Some(Step::Piece(piece))
    }
}

impl Source {
    fn next(&mut self) -> Option<Bytes> {
        match self {
            Self::List(list) => list.pop_front(),
            Self::Generated { asked, next, chunks, size } => {
                let part = asked.generated(*next, *chunks, *size);
                *next = next.saturating_add(1);
                part
            }
        }
    }
}

fn headers(script: &Script, natural: &Natural) -> Vec<(String, String)> {
    let replaced = |name: &str| script.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
    let mut headers: Vec<_> = natural.headers.iter().filter(|(name, _)| !replaced(name)).cloned().collect();
    if script.gzip && !replaced("content-encoding") {
        headers.push(("Content-Encoding".to_owned(), "gzip".to_owned()));
    }
    headers.extend(script.headers.iter().cloned());
    headers
}

/// The `content-length` to announce. `streamed` says that a provider would send this body in chunks.
fn length(script: &Script, streamed: bool, total: Option<usize>) -> Option<u64> {
    let total = total? as u64;
    // A clean cut is an answer that is whole in itself: its length fits. Any other cut breaks a promise.
    let promised = match script.end {
        End::Cut { how: Cut::Clean, at } => total.min(at as u64),
        _ => total,
    };
    match script.framing {
        Framing::Length => Some(promised),
        Framing::Wrong(by) => Some(total.saturating_add_signed(by)),
        Framing::Chunked | Framing::Close => None,
        Framing::Natural => (!streamed).then_some(promised),
    }
}

/// The body as it goes out, and whether a provider would send it in chunks: streams and what is encoded on the fly.
fn source(script: &Script, asked: Option<Asked>, natural: Vec<Bytes>) -> (Source, bool) {
    let parts = match (&script.body, asked) {
        (Body::Text(text), _) => vec![Bytes::from(text.clone())],
        (Body::Bytes(bytes), _) => vec![bytes.clone()],
        (Body::Recording(name), asked) => played(name, asked.as_ref()),
        (Body::Generated { chunks, size }, Some(asked)) => {
            let lazily = script.split == Split::Natural
                && !script.gzip
                && asked.shape != Shape::Unary
                && !matches!(script.framing, Framing::Length | Framing::Wrong(_));
            let mut generated = Source::Generated { asked, next: 0, chunks: *chunks, size: *size };
            if lazily {
                return (generated, true);
            }
            std::iter::from_fn(|| generated.next()).collect()
        }
        (Body::Natural, _) | (Body::Generated { .. }, None) => natural,
    };
    let streamed = parts.len() > 1 || script.gzip;
    (Source::List(split(encode(parts, script), &script.split)), streamed)
}

fn played(name: &str, asked: Option<&Asked>) -> Vec<Bytes> {
    let parts = match asked {
        Some(asked) => asked.play(name),
        None => crate::recordings::recording(name).map(crate::provider::events),
    };
    parts.unwrap_or_else(|| vec![Bytes::from_static(b"{\"error\": \"provider-sim has no such recording\"}")])
}

/// Compresses every part so that it can be read as soon as it has come, as providers do.
fn encode(parts: Vec<Bytes>, script: &Script) -> Vec<Bytes> {
    if !script.gzip {
        return parts;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut encoded: Vec<Bytes> = Vec::with_capacity(parts.len());
    for part in parts {
        // Writing to memory does not fail.
        let _ = encoder.write_all(&part).and_then(|()| encoder.flush());
        encoded.push(Bytes::from(std::mem::take(encoder.get_mut())));
    }
    encoded.push(Bytes::from(encoder.finish().unwrap_or_default()));
    encoded
}

fn split(parts: Vec<Bytes>, split: &Split) -> VecDeque<Bytes> {
    let pieces = match split {
        Split::Natural => parts,
        Split::Whole => vec![join(&parts)],
        Split::EveryByte => every(&join(&parts), 1),
        Split::Every(size) => every(&join(&parts), (*size).max(1)),
        Split::At(offsets) => at(join(&parts), offsets),
    };
    pieces.into_iter().filter(|piece| !piece.is_empty()).collect()
}

fn every(whole: &Bytes, size: usize) -> Vec<Bytes> {
    (0..whole.len()).step_by(size).map(|begin| whole.slice(begin..whole.len().min(begin + size))).collect()
}

fn at(mut whole: Bytes, offsets: &[usize]) -> Vec<Bytes> {
    let mut pieces = Vec::with_capacity(offsets.len() + 1);
    let mut begin = 0;
    for offset in offsets {
        if *offset > begin && *offset < begin + whole.len() {
            pieces.push(whole.split_to(offset - begin));
            begin = *offset;
        }
    }
    pieces.push(whole);
    pieces
}

fn join(parts: &[Bytes]) -> Bytes {
    let mut whole = BytesMut::with_capacity(parts.iter().map(Bytes::len).sum());
    for part in parts {
        whole.extend_from_slice(part);
    }
    whole.freeze()
}
