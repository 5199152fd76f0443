//! The body of every answer that leaves the edge.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::{accept::wire::Flight, call::Relay};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An answer's body. The connection counts as busy until it is dropped.
pub(crate) struct Outgoing {
    kind: Kind,
    _flight: Option<Flight>,
}

enum Kind {
    /// Whole, from memory.
    Full(Bytes),
    /// A provider's answer.
    Relay(Box<Relay>),
    /// What the management routes answered.
    Routed(axum::body::Body),
}

impl Outgoing {
    /// A body from memory.
    pub(crate) fn full(bytes: Bytes) -> Self {
        Self { kind: Kind::Full(bytes), _flight: None }
    }

    /// A provider's answer.
    pub(crate) fn relay(relay: Relay) -> Self {
        Self { kind: Kind::Relay(Box::new(relay)), _flight: None }
    }

    /// A body of the management routes.
    pub(crate) fn routed(body: axum::body::Body) -> Self {
        Self { kind: Kind::Routed(body), _flight: None }
    }

    /// Ends `flight` with this body.
    pub(crate) fn holding(self, flight: Flight) -> Self {
        Self { _flight: Some(flight), ..self }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.kind {
            Kind::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Relay(relay) => relay.poll(cx).map(|frame| frame.map(|frame| frame.map_err(Into::into))),
            Kind::Routed(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Full(bytes) => bytes.is_empty(),
            Kind::Relay(relay) => relay.ended(),
            Kind::Routed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Relay(relay) => relay.size_hint(),
            Kind::Routed(body) => body.size_hint(),
        }
    }
}
