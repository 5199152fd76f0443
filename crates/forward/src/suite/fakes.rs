//! Forwarders that stand in for a provider's.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt as _;
use tokio::sync::{Semaphore, oneshot, watch};

use crate::{Answer, Body, BodyError, Call, Forward, ForwardError, Head};

/// An answer of this body, and everything else usual.
pub(super) fn answer(body: Body) -> Answer {
    Answer { status: StatusCode::OK, headers: HeaderMap::new(), body }
}

/// Answers at once with the request's own body.
pub(super) struct Echoes;

#[async_trait::async_trait]
impl Forward for Echoes {
    async fn forward(&self, call: Call) -> Result<Answer, ForwardError> {
        Ok(answer(call.body))
    }
}

/// Says what it was given, once, and keeps what it was asked. It does not read the request's body.
pub(super) struct Says {
    result: Mutex<Option<Result<Answer, ForwardError>>>,
    asked: Mutex<Option<Head>>,
}

impl Says {
    pub(super) fn this(result: Result<Answer, ForwardError>) -> Arc<Self> {
        Arc::new(Self { result: Mutex::new(Some(result)), asked: Mutex::default() })
    }

    pub(super) fn asked(&self) -> Head {
        self.asked.lock().unwrap().take().unwrap()
    }
}

#[async_trait::async_trait]
impl Forward for Says {
    async fn forward(&self, call: Call) -> Result<Answer, ForwardError> {
        *self.asked.lock().unwrap() = Some(call.head);
        self.result.lock().unwrap().take().unwrap()
    }
}

/// Reads the request to its end and answers with its length; passes on why it broke.
pub(super) struct Reads {
    /// Bytes that were read, and whether the body came to its end.
    pub(super) seen: watch::Sender<(u64, bool)>,
    /// One passage for each frame.
    pub(super) gate: Semaphore,
}

impl Reads {
    pub(super) fn freely() -> Arc<Self> {
        Self::with(Semaphore::MAX_PERMITS)
    }

    pub(super) fn when_told() -> Arc<Self> {
        Self::with(0)
    }

    fn with(passages: usize) -> Arc<Self> {
        Arc::new(Self { seen: watch::Sender::new((0, false)), gate: Semaphore::new(passages) })
    }
}

#[async_trait::async_trait]
impl Forward for Reads {
    async fn forward(&self, mut call: Call) -> Result<Answer, ForwardError> {
        loop {
            self.gate.acquire().await.unwrap().forget();
            match call.body.frame().await {
                Some(Ok(frame)) => {
                    let length = frame.data_ref().map_or(0, Bytes::len) as u64;
                    self.seen.send_modify(|(seen, _)| *seen += length);
                }
                Some(Err(BodyError::TooLarge { max })) => return Err(ForwardError::TooLarge { max }),
                Some(Err(_)) => return Err(ForwardError::RequestBroken),
                None => break,
            }
        }
        self.seen.send_modify(|(_, ended)| *ended = true);
        Ok(answer(crate::full(self.seen.borrow().0.to_string())))
    }
}

/// Never answers. Tells that it was called, and that it was dropped.
pub(super) struct Hangs {
    tell: Mutex<Option<(oneshot::Sender<()>, oneshot::Sender<()>)>>,
    reads: bool,
}

impl Hangs {
    /// The fake; what tells that it was called; what tells that its call was dropped.
    pub(super) fn new(reads: bool) -> (Arc<Self>, oneshot::Receiver<()>, oneshot::Receiver<()>) {
        let (called, seen_called) = oneshot::channel();
        let (dropped, seen_dropped) = oneshot::channel();
        (Arc::new(Self { tell: Mutex::new(Some((called, dropped))), reads }), seen_called, seen_dropped)
    }
}

#[async_trait::async_trait]
impl Forward for Hangs {
    async fn forward(&self, mut call: Call) -> Result<Answer, ForwardError> {
        // Held over the wait; its other end sees it go.
        let (called, _dropped) = self.tell.lock().unwrap().take().unwrap();
        if self.reads {
            let _ = call.body.frame().await;
        }
        let _ = called.send(());
        std::future::pending().await
    }
}

/// A body that always has more, up to `frames` of it, counts the bytes it gave, and tells when it is dropped.
pub(super) struct Plenty {
    frames: u64,
    frame: Bytes,
    given: Arc<AtomicU64>,
    _dropped: Option<oneshot::Sender<()>>,
}

impl Plenty {
    pub(super) fn of(frames: u64, frame: Bytes) -> (Self, Arc<AtomicU64>) {
        let given = Arc::new(AtomicU64::new(0));
        (Self { frames, frame, given: Arc::clone(&given), _dropped: None }, given)
    }

    pub(super) fn telling(self, dropped: oneshot::Sender<()>) -> Self {
        Self { _dropped: Some(dropped), ..self }
    }
}

impl http_body::Body for Plenty {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.frames == 0 {
            return Poll::Ready(None);
        }
        self.frames -= 1;
        self.given.fetch_add(self.frame.len() as u64, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(self.frame.clone()))))
    }
}
