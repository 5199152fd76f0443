//! What of a request's body has passed, kept while it is short, so that it can be sent once more with a new token.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use forward::{Body, BodyError};
use futures_util::stream;
use http_body::{Frame, SizeHint};
use http_body_util::StreamBody;
use parking_lot::Mutex;

/// A longer body is sent once, in bytes. The pieces are shared with the connection, not copied.
pub(crate) const KEPT_MAX: usize = 256 << 10;

/// What has passed so far.
#[derive(Clone)]
pub(crate) struct Kept(Arc<Mutex<Record>>);

struct Record {
    pieces: Vec<Bytes>,
    size: usize,
    /// The body's length, where it is known: whoever reads it by its length does not ask for its end.
    length: Option<u64>,
    ended: bool,
    max: usize,
}

/// `body`, and what is kept of it: up to `max` bytes, else nothing.
pub(crate) fn keep(body: Body, length: Option<u64>, max: usize) -> (Body, Kept) {
    let ended = http_body::Body::is_end_stream(&body);
    let kept = Kept(Arc::new(Mutex::new(Record { pieces: Vec::new(), size: 0, length, ended, max })));
    (Body::new(Keeping { inner: body, kept: kept.clone() }), kept)
}

impl Kept {
    /// The whole body once more, if all of it was kept.
    pub(crate) fn again(&self) -> Option<Body> {
        let mut record = self.0.lock();
        let whole = record.ended || record.length == Some(record.size as u64);
        if record.size > record.max || !whole {
            return None;
        }
        let frames = std::mem::take(&mut record.pieces).into_iter().map(|piece| Ok(Frame::data(piece)));
        Some(Body::new(StreamBody::new(stream::iter(frames))))
    }
}

struct Keeping {
    inner: Body,
    kept: Kept,
}

impl http_body::Body for Keeping {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let came = ready!(Pin::new(&mut self.inner).poll_frame(context));
        let mut record = self.kept.0.lock();
        match &came {
            None => record.ended = true,
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    record.size = record.size.saturating_add(data.len());
                    if record.size <= record.max {
                        record.pieces.push(data.clone());
                    } else {
                        record.pieces = Vec::new();
                    }
                }
            }
            // What broke is never whole.
            Some(Err(_)) => (record.ended, record.length) = (false, None),
        }
        drop(record);
        Poll::Ready(came)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Collected};

    use super::*;

    fn cut(pieces: Vec<Result<&'static str, BodyError>>) -> Body {
        let frames = pieces.into_iter().map(|piece| piece.map(|text| Frame::data(Bytes::from(text))));
        Body::new(StreamBody::new(stream::iter(frames)))
    }

    async fn whole(body: Body) -> Result<Bytes, BodyError> {
        body.collect().await.map(Collected::to_bytes)
    }

    #[tokio::test]
    async fn a_short_body_can_be_sent_again() {
        let (body, kept) = keep(cut(vec![Ok("ab"), Ok("c")]), None, 3);
        assert!(kept.again().is_none(), "nothing of it has passed");
        assert_eq!(whole(body).await.unwrap(), "abc");
        assert_eq!(whole(kept.again().unwrap()).await.unwrap(), "abc");
    }

    #[tokio::test]
    async fn a_body_of_a_known_length_need_not_be_asked_for_its_end() {
        let (mut body, kept) = keep(cut(vec![Ok("abc")]), Some(3), 3);
        body.frame().await.unwrap().unwrap();
        assert_eq!(whole(kept.again().unwrap()).await.unwrap(), "abc");
        assert_eq!(whole(keep(forward::empty(), None, 3).1.again().unwrap()).await.unwrap(), "");
    }

    #[tokio::test]
    async fn what_is_long_or_broken_or_unfinished_cannot() {
        let (body, kept) = keep(cut(vec![Ok("ab"), Ok("cd")]), None, 3);
        assert_eq!(whole(body).await.unwrap(), "abcd");
        assert!(kept.again().is_none());
        let (body, kept) = keep(cut(vec![Ok("ab"), Err(BodyError::Broken("test"))]), Some(2), 3);
        assert!(whole(body).await.is_err());
        assert!(kept.again().is_none());
        let (mut body, kept) = keep(cut(vec![Ok("a"), Ok("b")]), None, 3);
        body.frame().await.unwrap().unwrap();
        assert!(kept.again().is_none());
    }
}
