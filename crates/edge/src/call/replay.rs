//! A request's body that may be sent more than once.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use fault::Fault;
use forward::{BodyError, Share};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;

use super::plan::Plan;
use crate::{Edge, Problem, inbound::Inbound};

/// A body, kept where it must be read whole or a second target may need it.
pub(super) enum Replay<B> {
    /// Read whole; with its part of the memory for such bodies.
    Kept(Bytes, Share),
    /// Sent as it comes, once: what was read of it already, and the rest.
    Once(Bytes, Inbound<B>),
}

impl<B> Replay<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    /// A body of which nothing was read.
    pub(super) fn passing(body: Inbound<B>) -> Self {
        Self::Once(Bytes::new(), body)
    }

    /// Reads all of the body. Where there is no room for it, the caller is told to come again.
    pub(super) async fn whole(edge: &Edge, body: Inbound<B>) -> Result<Self, Problem> {
        match Self::keep(edge, body, u64::MAX).await {
            Ok(Self::Once(..)) => {
                let said = "the memory for requests that must be read whole is used up; try again";
                Err(Problem::new(Fault::Unavailable, "body_memory", said).closing())
            }
            Ok(kept) => Ok(kept),
            Err(_) => Err(forward::ForwardError::RequestBroken.into()),
        }
    }

    /// Reads the body if the plan has a second target and there is room for it; else it goes through as it comes.
    pub(super) async fn prepare(self, edge: &Edge, plan: &Plan) -> Result<Self, BodyError> {
        let max = edge.config.requests.replay_body_max;
        match self {
            Self::Once(read, body) if read.is_empty() && plan.len() > 1 => {
                if body.size_hint().exact().is_some_and(|length| length > max) {
                    return Ok(Self::Once(read, body));
                }
                Self::keep(edge, body, max).await
            }
            other => Ok(other),
        }
    }

    /// Reads up to `max` bytes, as long as the budget has room.
    async fn keep(edge: &Edge, mut body: Inbound<B>, max: u64) -> Result<Self, BodyError> {
        let mut memory = edge.body_memory.share();
        let mut read = Read::default();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            read.push(data, body.size_hint().exact());
            let length = read.len() as u64;
            if length > max || !memory.holds(length) {
                return Ok(Self::Once(read.done(), body));
            }
        }
        Ok(Self::Kept(read.done(), memory))
    }

    /// What is kept.
    pub(super) fn kept(&self) -> &[u8] {
        match self {
            Self::Kept(bytes, _) => bytes,
            Self::Once(..) => &[],
        }
    }

    /// Its length, where it was read whole.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Self::Kept(bytes, _) => Some(bytes.len() as u64),
            Self::Once(..) => None,
        }
    }

    /// Whether it can be sent to more than one target.
    pub(super) fn repeats(&self) -> bool {
        matches!(self, Self::Kept(..))
    }

    /// The body for one attempt, and what remains for the next one.
    pub(super) fn take(self) -> (forward::Body, Option<Self>) {
        match self {
            Self::Kept(bytes, memory) => (forward::full(bytes.clone()), Some(Self::Kept(bytes, memory))),
            Self::Once(read, rest) if read.is_empty() => (rest.boxed_unsync(), None),
            Self::Once(read, rest) => (Resumed { read: Some(read), rest }.boxed_unsync(), None),
        }
    }
}

/// What was read so far: one frame as it came, or several put together.
#[derive(Default)]
enum Read {
    #[default]
    Nothing,
    One(Bytes),
    Many(BytesMut),
}

impl Read {
    /// Takes the next bytes; `left` more are to come, where that is known.
    fn push(&mut self, data: Bytes, left: Option<u64>) {
        *self = match std::mem::take(self) {
            Self::Nothing => Self::One(data),
            Self::One(first) => {
                let left = left.and_then(|left| usize::try_from(left).ok()).unwrap_or(0);
                let mut many = BytesMut::with_capacity(first.len() + data.len() + left);
                many.extend_from_slice(&first);
                many.extend_from_slice(&data);
                Self::Many(many)
            }
            Self::Many(mut many) => {
                many.extend_from_slice(&data);
                Self::Many(many)
            }
        };
    }

    fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::One(bytes) => bytes.len(),
            Self::Many(bytes) => bytes.len(),
        }
    }

    fn done(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes.freeze(),
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
