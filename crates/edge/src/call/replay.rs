//! A request's body that may be sent more than once.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use forward::BodyError;
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use tokio::sync::OwnedSemaphorePermit;

use super::plan::Plan;
use crate::{Edge, inbound::Inbound};

/// A body, kept where a second target may need it.
pub(super) enum Replay<B> {
    /// Read whole; the permit is its part of the memory for such bodies.
    Kept(Bytes, OwnedSemaphorePermit),
    /// Sent as it comes, once: what was read of it already, and the rest.
    Once(Bytes, Inbound<B>),
}

impl<B> Replay<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    /// Reads the body if the plan has a second target and there is room for it; else it goes through as it comes.
    pub(super) async fn prepare(edge: &Edge, plan: &Plan, body: Inbound<B>) -> Result<Self, BodyError> {
        let max = edge.config.requests.replay_body_max;
        let expected = body.size_hint().exact().unwrap_or(max);
        if plan.len() < 2 || expected > max {
            return Ok(Self::Once(Bytes::new(), body));
        }
        let kilobytes = u32::try_from(expected.div_ceil(1024)).unwrap_or(u32::MAX);
        match std::sync::Arc::clone(&edge.replay_memory).try_acquire_many_owned(kilobytes) {
            Err(_) => Ok(Self::Once(Bytes::new(), body)),
            Ok(permit) => Self::keep(body, max, permit).await,
        }
    }

    async fn keep(mut body: Inbound<B>, max: u64, permit: OwnedSemaphorePermit) -> Result<Self, BodyError> {
        let mut kept = BytesMut::new();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                kept.extend_from_slice(&data);
            }
            if kept.len() as u64 > max {
                return Ok(Self::Once(kept.freeze(), body));
            }
        }
        Ok(Self::Kept(kept.freeze(), permit))
    }

    /// Whether it can be sent to more than one target.
    pub(super) fn repeats(&self) -> bool {
        matches!(self, Self::Kept(..))
    }

    /// The body for one attempt, and what remains for the next one.
    pub(super) fn take(self) -> (forward::Body, Option<Self>) {
        match self {
            Self::Kept(bytes, permit) => (forward::full(bytes.clone()), Some(Self::Kept(bytes, permit))),
            Self::Once(read, rest) if read.is_empty() => (rest.boxed_unsync(), None),
            Self::Once(read, rest) => (Resumed { read: Some(read), rest }.boxed_unsync(), None),
        }
    }
}

/// What was read already, then the rest.
struct Resumed<B> {
    read: Option<Bytes>,
    rest: Inbound<B>,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Resumed<B> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.read.take() {
            Some(read) => Poll::Ready(Some(Ok(Frame::data(read)))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }
}
