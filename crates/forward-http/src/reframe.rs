//! Answers whose stream has a framing of its provider's own, put into that of the dialect as they pass.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use forward::{Body, BodyError};
use http_body::Frame;

/// Takes one framing apart and makes another of it. Pure, and told of bytes in whatever pieces they come.
pub trait Reframe: Send + 'static {
    /// Takes the next bytes; what can be said of them goes into `out`, also where an error follows it.
    fn take(&mut self, bytes: &[u8], out: &mut BytesMut) -> Result<(), BodyError>;

    /// Nothing more comes; whether that is an end.
    fn end(&mut self) -> Result<(), BodyError>;
}

/// A body in another framing.
pub(crate) struct Reframed<B> {
    /// None once it ended: what broke closes the provider's connection.
    inner: Option<B>,
    reframe: Box<dyn Reframe>,
    /// What is said after the bytes before it.
    broken: Option<BodyError>,
}

/// `body` as `reframe` makes it.
pub(crate) fn reframed<B>(body: B, reframe: Box<dyn Reframe>) -> Body
where
    B: http_body::Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
{
    Body::new(Reframed { inner: Some(body), reframe, broken: None })
}

impl<B> http_body::Body for Reframed<B>
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
            if let Some(error) = this.broken.take() {
                this.inner = None;
                return Poll::Ready(Some(Err(error)));
            }
            let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
            let mut out = BytesMut::new();
            match ready!(Pin::new(inner).poll_frame(context)) {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    this.broken = this.reframe.take(&data, &mut out).err();
                }
                Some(Err(error)) => this.broken = Some(error),
                None => {
                    this.inner = None;
                    return Poll::Ready(this.reframe.end().err().map(Err));
                }
            }
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(out.freeze()))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::{BodyExt as _, StreamBody};

    use super::*;

    /// Doubles letters, breaks behind `!`, and must end with `.`.
    #[derive(Default)]
    struct Doubled {
        last: u8,
    }

    impl Reframe for Doubled {
        fn take(&mut self, bytes: &[u8], out: &mut BytesMut) -> Result<(), BodyError> {
            for byte in bytes {
                self.last = *byte;
                out.extend_from_slice(&[*byte, *byte]);
                if *byte == b'!' {
                    return Err(BodyError::Broken("it says so"));
                }
            }
            Ok(())
        }

        fn end(&mut self) -> Result<(), BodyError> {
            if self.last == b'.' { Ok(()) } else { Err(BodyError::Broken("no full stop")) }
        }
    }

    async fn came(pieces: Vec<Result<&'static str, BodyError>>) -> (String, Option<BodyError>) {
        let frames = pieces.into_iter().map(|piece| piece.map(|text| Frame::data(Bytes::from(text))));
        let mut body = reframed(StreamBody::new(stream::iter(frames)), Box::<Doubled>::default());
        let (mut text, mut error) = (String::new(), None);
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap()),
                Err(broken) => error = Some(broken),
            }
        }
        (text, error)
    }

    #[tokio::test]
    async fn what_was_said_before_a_break_is_said() {
        assert_eq!(came(vec![Ok("a"), Ok(""), Ok("b.")]).await, ("aabb..".to_owned(), None));
        let broken = |said| Some(BodyError::Broken(said));
        assert_eq!(came(vec![Ok("a!b"), Ok("c.")]).await, ("aa!!".to_owned(), broken("it says so")));
        assert_eq!(came(vec![Ok("a")]).await, ("aa".to_owned(), broken("no full stop")));
        let reset = Err(BodyError::Broken("reset"));
        assert_eq!(came(vec![Ok("a."), reset]).await, ("aa..".to_owned(), broken("reset")));
    }
}
