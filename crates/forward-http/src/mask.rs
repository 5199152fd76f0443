//! A provider's refusal, with what it repeats of our own key made unreadable.
//!
//! Providers quote keys in their refusals, whole or in part (`sk-ab***yz`). Every run of eight bytes that stands in the
//! secret, and the rests of it beside a run of stars or dots, become stars: one for one, so that no length changes.
//! Every other byte passes as it came. Answers that are not refusals never come here.

use std::{
    io::Read as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use forward::{Answer, Body, BodyError, Target};
use futures_util::stream;
use http::{
    HeaderValue,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap},
};
use http_body::Frame;
use http_body_util::{BodyExt as _, Limited, StreamBody};

mod needles;

use needles::Needles;

/// An encoded refusal is read up to this length, in bytes, to look inside; providers' refusals have a few hundred.
const ENCODED_MAX: usize = 64 * 1024;
/// And is unpacked up to this length.
const DECODED_MAX: u64 = 1024 * 1024;

/// The refusal as it may be shown: masked as it streams; where it is encoded, read first and unpacked.
pub(crate) async fn refusal<B>(
    mut answer: Answer,
    body: B,
    target: &Arc<Target>,
    token: Option<&HeaderValue>,
) -> Answer
where
    B: http_body::Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
{
    let needles = Needles::of(&target.credential, token);
    drop_headers_that_tell(&mut answer.headers, &needles);
    let encoding = answer.headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase());
    answer.body = match encoding.as_deref() {
        None | Some(b"identity" | b"") => Masked::new(body, needles).boxed_unsync(),
        Some(encoding) => encoded(encoding, body, &needles, &mut answer.headers).await,
    };
    answer
}

fn drop_headers_that_tell(headers: &mut HeaderMap, needles: &Needles) {
    let telling: Vec<_> = headers
        .iter()
        .filter(|(_, value)| needles.mask(value.as_bytes()).is_some())
        .map(|(name, _)| name.clone())
        .collect();
    for name in telling {
        headers.remove(name);
    }
}

/// An encoded refusal: the bytes as they came if nothing of the key is in them, else unpacked and masked. One that
/// cannot be looked into (another encoding, too long, damaged) is withheld; its status says what matters.
async fn encoded<B>(encoding: &[u8], body: B, needles: &Needles, headers: &mut HeaderMap) -> Body
where
    B: http_body::Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
{
    let packed = match Limited::new(body, ENCODED_MAX).collect().await {
        Ok(collected) => Some(collected.to_bytes()),
        Err(error) => match error.downcast::<BodyError>() {
            Ok(broken) => return StreamBody::new(stream::iter([Err(*broken)])).boxed_unsync(),
            Err(_too_long) => None,
        },
    };
    let plain = packed.as_deref().and_then(|packed| unpack(encoding, packed));
    let masked = plain.as_deref().map(|plain| needles.mask(plain));
    if let (Some(packed), Some(None)) = (packed, &masked) {
        return forward::full(packed);
    }
    headers.remove(CONTENT_ENCODING);
    headers.remove(CONTENT_LENGTH);
    if let Some(masked) = masked.flatten() {
        return forward::full(masked);
    }
    tracing::warn!("a provider's refusal is encoded so that it cannot be searched for the key: withheld");
    forward::empty()
}

/// The plain bytes of a whole encoded body, if it is short and sound.
pub(crate) fn unpack(encoding: &[u8], packed: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    match encoding {
        b"gzip" | b"x-gzip" => {
            flate2::read::MultiGzDecoder::new(packed).take(DECODED_MAX + 1).read_to_end(&mut plain).ok()?;
        }
        b"deflate" => {
            flate2::read::ZlibDecoder::new(packed).take(DECODED_MAX + 1).read_to_end(&mut plain).ok()?;
        }
        _ => return None,
    }
    (plain.len() as u64 <= DECODED_MAX).then_some(plain)
}

/// Masks a body as it streams. Holds back only as many bytes as a fragment at a frame's edge may have.
struct Masked<B> {
    inner: B,
    needles: Needles,
    /// Bytes as they came: first those that were given out already but may belong to a fragment, then those held back.
    window: BytesMut,
    given: usize,
    ended: Option<Result<(), BodyError>>,
}

impl<B> Masked<B> {
    fn new(inner: B, needles: Needles) -> Self {
        Self { inner, needles, window: BytesMut::new(), given: 0, ended: None }
    }

    /// The masked bytes up to `end` that were not given out yet.
    fn give(&mut self, end: usize) -> Option<Bytes> {
        if end <= self.given {
            return None;
        }
        let masked = match self.needles.mask(&self.window) {
            Some(masked) => Bytes::from(masked).slice(self.given..end),
            None => Bytes::copy_from_slice(&self.window[self.given..end]),
        };
        let keep_from = end.saturating_sub(self.needles.reach());
        let _ = self.window.split_to(keep_from);
        self.given = end - keep_from;
        Some(masked)
    }
}

impl<B> http_body::Body for Masked<B>
where
    B: http_body::Body<Data = Bytes, Error = BodyError> + Unpin,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        loop {
            let end = match &mut this.ended {
                Some(_) => this.window.len(),
                None => match std::task::ready!(Pin::new(&mut this.inner).poll_frame(context)) {
                    Some(Ok(frame)) => {
                        if let Ok(data) = frame.into_data() {
                            this.window.extend_from_slice(&data);
                        }
                        this.window.len().saturating_sub(this.needles.reach())
                    }
                    last => {
                        this.ended = Some(last.map_or(Ok(()), |last| last.map(drop)));
                        continue;
                    }
                },
            };
            if let Some(masked) = this.give(end) {
                return Poll::Ready(Some(Ok(Frame::data(masked))));
            }
            if let Some(ended) = &mut this.ended {
                return Poll::Ready(std::mem::replace(ended, Ok(())).err().map(Err));
            }
        }
    }
}

#[cfg(test)]
mod tests;
