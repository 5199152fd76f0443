//! The request's body as it arrives from the edge.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use forward::{Body, BodyError};
use futures_util::Stream as _;
use http_body::{Frame, SizeHint};
use proto::forward::v1::{ForwardRequest, forward_request::Part};
use tonic::Streaming;

/// Complete only after the edge has said so: a stream that just ends was given up.
pub(super) struct RequestBody {
    /// None after the end.
    messages: Option<Streaming<ForwardRequest>>,
    /// Bytes still to come, where the client said how many.
    left: Option<u64>,
}

impl RequestBody {
    pub(super) fn new(messages: Streaming<ForwardRequest>, length: Option<u64>) -> Self {
        Self { messages: Some(messages), left: length }
    }

    pub(super) fn boxed(self) -> Body {
        Body::new(self)
    }

    /// Takes the stream's own end where it is here already, so that dropping the stream does not reset it.
    fn ended(&mut self, context: &mut Context<'_>) {
        if let Some(mut messages) = self.messages.take() {
            let _ = Pin::new(&mut messages).poll_next(context);
        }
    }

    fn given_up(&mut self) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.messages = None;
        Poll::Ready(Some(Err(BodyError::Broken("the edge gave up the call"))))
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            let Some(messages) = &mut self.messages else { return Poll::Ready(None) };
            let message = ready!(Pin::new(messages).poll_next(context));
            match message.and_then(Result::ok).and_then(|message| message.part) {
                Some(Part::Body(bytes)) if bytes.is_empty() => {}
                Some(Part::Body(bytes)) => {
                    self.left = self.left.map(|left| left.saturating_sub(bytes.len() as u64));
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Part::End(_)) => {
                    self.ended(context);
                    return Poll::Ready(None);
                }
                Some(Part::Head(_)) | None => return self.given_up(),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.messages.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map(SizeHint::with_exact).unwrap_or_default()
    }
}
