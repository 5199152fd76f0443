//! The answer on its way to the edge, message by message, as HTTP/2 has room for it.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use forward::{Answer, Body};
use futures_util::Stream;
use http_body::Body as _;
use proto::forward::v1::{AnswerHead, ForwardResponse, forward_response::Part};
use tonic::Status;
use tracing::Span;

use crate::{PIECE_MAX, convert::answer_to_wire, failure::of_body};

/// Head, then pieces of the body. Nothing is read ahead: it is polled when there is room for a message. Dropped with its
/// stream, and the provider's answer with it.
pub(crate) struct Messages {
    head: Option<AnswerHead>,
    /// What is left of a frame that was longer than a piece.
    rest: Bytes,
    /// None after its end.
    body: Option<Body>,
    /// The call's span lives as long as its answer.
    span: Span,
}

impl Messages {
    pub(super) fn new(answer: Answer) -> Self {
        let length = answer.body.size_hint().exact();
        let head = answer_to_wire(answer.status, &answer.headers, length);
        Self { head: Some(head), rest: Bytes::new(), body: Some(answer.body), span: Span::current() }
    }

    fn poll_part(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Part, Status>>> {
        if let Some(head) = self.head.take() {
            return Poll::Ready(Some(Ok(Part::Head(head))));
        }
        while self.rest.is_empty() {
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            match ready!(Pin::new(body).poll_frame(context)) {
                Some(Ok(frame)) => self.rest = frame.into_data().unwrap_or_default(),
                Some(Err(error)) => {
                    self.body = None;
                    return Poll::Ready(Some(Err(of_body(&error))));
                }
                None => self.body = None,
            }
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE_MAX));
        Poll::Ready(Some(Ok(Part::Body(piece))))
    }
}

impl Stream for Messages {
    type Item = Result<ForwardResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let span = this.span.clone();
        let _entered = span.enter();
        let part = ready!(this.poll_part(context));
        Poll::Ready(part.map(|part| part.map(|part| ForwardResponse { part: Some(part) })))
    }
}
