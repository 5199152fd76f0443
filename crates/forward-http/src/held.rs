//! Bodies that must be whole before they can go: those that are signed, and those that a provider wants in another form.
//!
//! They are held under two bounds, one a body and one for all of them together. A body that is there in one piece, as the
//! edge of the same process hands it over, is held without a copy.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use forward::{Body, BodyError, Budget, ForwardError, Limit, Share};
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};

/// The memory for bodies that are held.
pub(crate) struct Memory {
    budget: Budget,
    body_max: u64,
}

impl Memory {
    /// Bodies of at most `body_max` bytes, `all_max` together.
    pub(crate) fn new(body_max: u64, all_max: u64) -> Self {
        Self { budget: Budget::new(all_max), body_max }
    }

    /// Reads a body whole. `length` is its length where it is known, `within` the time it has.
    ///
    /// # Errors
    /// [`ForwardError::TooLarge`] above the bound of one body, [`ForwardError::ForwarderUnavailable`] above that of all,
    /// and whatever the body itself says.
    pub(crate) async fn hold(
        &self,
        body: Body,
        length: Option<u64>,
        within: Option<Duration>,
    ) -> Result<(Bytes, Share), ForwardError> {
        let mut share = self.budget.share();
        self.take(&mut share, length.unwrap_or(0))?;
        let read = self.read(body, &mut share);
        let bytes = match within {
            None => read.await?,
            Some(after) => tokio::time::timeout(after, read)
                .await
                .unwrap_or(Err(ForwardError::TimedOut { limit: Limit::Total, after }))?,
        };
        match length {
            Some(length) if length != bytes.len() as u64 => Err(ForwardError::RequestBroken),
            _ => Ok((bytes, share)),
        }
    }

    async fn read(&self, mut body: Body, share: &mut Share) -> Result<Bytes, ForwardError> {
        let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| match error {
                BodyError::TooLarge { max } => ForwardError::TooLarge { max },
                _ => ForwardError::RequestBroken,
            })?;
            let Ok(data) = frame.into_data() else { continue };
            self.take(share, (first.len() + rest.len() + data.len()) as u64)?;
            if first.is_empty() && rest.is_empty() {
                first = data;
                continue;
            }
            if rest.is_empty() {
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
        Ok(if rest.is_empty() { first } else { rest.freeze() })
    }

    /// Takes what is missing to hold so many bytes.
    fn take(&self, share: &mut Share, bytes: u64) -> Result<(), ForwardError> {
        if bytes > self.body_max {
            return Err(ForwardError::TooLarge { max: self.body_max });
        }
        if share.holds(bytes) {
            return Ok(());
        }
        tracing::warn!("`egress.held_bytes_max` is reached: a body that must be whole is turned away");
        Err(ForwardError::ForwarderUnavailable)
    }
}

/// A body of these pieces, which gives its share back when it is gone.
pub(crate) fn of_pieces(pieces: Vec<Bytes>, share: Arc<Share>) -> Body {
    let pieces: VecDeque<Bytes> = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
    let frames = stream::unfold((pieces, share), |(mut pieces, share)| {
        let next = pieces.pop_front();
        std::future::ready(next.map(|piece| (Ok(Frame::data(piece)), (pieces, share))))
    });
    Body::new(StreamBody::new(frames))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: u64 = Budget::STEP;

    fn cut(pieces: &'static [&'static str]) -> Body {
        let frames = pieces.iter().map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))));
        Body::new(StreamBody::new(stream::iter(frames)))
    }

    #[tokio::test]
    async fn one_piece_is_held_without_a_copy_and_many_are_joined() {
        let memory = Memory::new(1 << 20, 1 << 20);
        let one = Bytes::from(vec![b'x'; 1000]);
        let (held, _share) = memory.hold(forward::full(one.clone()), Some(1000), None).await.unwrap();
        assert_eq!(held.as_ptr(), one.as_ptr());
        assert_eq!(memory.hold(cut(&["a", "", "bc", "d"]), None, None).await.unwrap().0, "abcd");
        assert_eq!(memory.hold(forward::empty(), None, None).await.unwrap().0, "");
    }

    #[tokio::test]
    async fn bounds_are_kept_and_memory_comes_back() {
        let memory = Memory::new(STEP, 2 * STEP);
        let body = |length: u64| forward::full(vec![b'x'; usize::try_from(length).unwrap()]);
        let refused = memory.hold(body(STEP + 1), None, None).await.map(drop);
        assert_eq!(refused, Err(ForwardError::TooLarge { max: STEP }));
        let (bytes, one) = memory.hold(body(STEP), None, None).await.unwrap();
        let sent = of_pieces(vec![bytes], Arc::new(one));
        let other = memory.hold(body(1), Some(1), None).await.unwrap();
        let refused = memory.hold(body(1), None, None).await.map(drop);
        assert_eq!(refused, Err(ForwardError::ForwarderUnavailable));
        drop((sent, other));
        assert_eq!(memory.budget.left(), 2 * STEP);
    }

    #[tokio::test]
    async fn a_body_that_is_not_what_was_said_is_broken() {
        let memory = Memory::new(1 << 20, 1 << 20);
        for (body, length) in [(cut(&["ab"]), Some(3)), (cut(&["ab"]), Some(1))] {
            assert_eq!(memory.hold(body, length, None).await.map(drop), Err(ForwardError::RequestBroken));
        }
        let broken = stream::iter([Ok(Frame::data(Bytes::from("a"))), Err(BodyError::Broken("test"))]);
        let refused = memory.hold(Body::new(StreamBody::new(broken)), None, None).await.map(drop);
        assert_eq!(refused, Err(ForwardError::RequestBroken));
    }
}
