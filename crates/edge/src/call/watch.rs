//! Reads a provider's answer on the side, also where it is encoded.

use std::io::Write as _;

use dialect::{Completeness, Framing, Observer, Usage};
use flate2::write::GzDecoder;
use http::{HeaderMap, StatusCode, header};

use super::record::Record;

/// Decoded bytes of one answer that are read on the side at most: what comes beyond them passes unread.
const DECODED_MAX: usize = 64 << 20;

/// What status and headers tell of the body.
pub(super) struct Told {
    /// Whether it is a stream of events or elements, whose end has a mark.
    pub(super) streams: bool,
    /// Reads it.
    pub(super) watch: Watch,
}

impl Told {
    /// By the provider's status and headers. A refusal is one whole body, whatever was asked for.
    pub(super) fn by(status: StatusCode, headers: &HeaderMap, record: &Record) -> Self {
        let (_, framing) = record.asked();
        let streams = status.is_success() && matches!(framing, Framing::Sse | Framing::JsonArray);
        let observer = || Observer::new(record.operation(), framing, !record.masked());
        let coding = headers.get(header::CONTENT_ENCODING).map(|coding| coding.as_bytes().trim_ascii());
        let watch = match coding {
            _ if !status.is_success() || (record.masked() && !is_text(headers)) => {
                Watch::Plain(Observer::opaque())
            }
            None | Some(b"") => Watch::Plain(observer()),
            Some(coding) if coding.eq_ignore_ascii_case(b"identity") => Watch::Plain(observer()),
            Some(coding) if coding.eq_ignore_ascii_case(b"gzip") => Watch::gzip(observer()),
            Some(_) => Watch::Plain(Observer::opaque()),
        };
        Self { streams, watch }
    }
}

/// Whether the body is in the dialect's text; `alt=proto` has the provider answer something else.
fn is_text(headers: &HeaderMap) -> bool {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.starts_with("application/json") || content_type.starts_with("text/event-stream")
}

/// An observer, or one behind a decoder. Only usage is taken from an encoded answer: whether it is whole, its own coding
/// tells the client.
pub(super) enum Watch {
    Plain(Observer),
    Gzip { decoder: Option<Box<GzDecoder<Sink>>>, usage: Usage, opaque: Observer },
}

impl Watch {
    fn gzip(observer: Observer) -> Self {
        let decoder = Some(Box::new(GzDecoder::new(Sink { observer, left: DECODED_MAX })));
        Self::Gzip { decoder, usage: Usage::default(), opaque: Observer::opaque() }
    }

    /// Takes the next bytes.
    pub(super) fn observe(&mut self, bytes: &[u8]) {
        match self {
            Self::Plain(observer) => observer.observe(bytes),
            Self::Gzip { decoder: held, usage, opaque } => {
                opaque.observe(bytes);
                if let Some(decoder) = held {
                    let read = decoder.write_all(bytes).and_then(|()| decoder.flush());
                    *usage = decoder.get_ref().observer.usage();
                    if read.is_err() {
                        *held = None;
                    }
                }
            }
        }
    }

    /// See [`Observer::at_boundary`].
    pub(super) fn at_boundary(&self) -> bool {
        self.observer().at_boundary()
    }

    /// See [`Observer::started`].
    pub(super) fn started(&self) -> bool {
        self.observer().started()
    }

    /// See [`Observer::completeness`].
    pub(super) fn completeness(&self) -> Completeness {
        self.observer().completeness()
    }

    /// See [`Observer::usage`].
    pub(super) fn usage(&self) -> Usage {
        match self {
            Self::Plain(observer) => observer.usage(),
            Self::Gzip { usage, .. } => *usage,
        }
    }

    fn observer(&self) -> &Observer {
        match self {
            Self::Plain(observer) => observer,
            Self::Gzip { opaque, .. } => opaque,
        }
    }
}

/// Where decoded bytes go: read, counted, forgotten.
pub(super) struct Sink {
    observer: Observer,
    left: usize,
}

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::FileTooLarge)?;
        self.observer.observe(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use dialect::Operation;
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    const ANSWER: &[u8] =
        br#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3}}"#;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn watch() -> Watch {
        Watch::gzip(Observer::new(Operation::GenerateContent, Framing::Unary, true))
    }

    #[test]
    fn usage_is_read_from_an_encoded_answer_at_any_cut() {
        let packed = packed(ANSWER);
        for cut in 0..packed.len() {
            let mut watch = watch();
            watch.observe(&packed[..cut]);
            watch.observe(&packed[cut..]);
            assert_eq!((watch.usage().input, watch.usage().output), (Some(7), Some(3)), "{cut}");
        }
    }

    #[test]
    fn what_does_not_decode_or_has_no_end_passes_unread() {
        let mut broken = watch();
        broken.observe(b"this is not gzip at all");
        broken.observe(ANSWER);
        assert_eq!(broken.usage(), Usage::default());
        let mut bomb = watch();
        bomb.observe(&packed(&vec![b' '; DECODED_MAX + 1]));
        assert!(matches!(bomb, Watch::Gzip { decoder: None, .. }));
    }
}
