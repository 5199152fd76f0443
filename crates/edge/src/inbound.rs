//! A request's body on its way in: not larger, not slower than allowed.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use fault::Fault;
use forward::{BodyError, Limit};
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use crate::{Problem, accept::timer::Timer, config::Requests};

/// How a body went, seen from outside while somebody else reads it.
#[derive(Debug, Default)]
pub(crate) struct Fate(AtomicU8);

const TOO_SLOW: u8 = 1;
const TOO_LARGE: u8 = 2;
const BROKEN: u8 = 3;

impl Fate {
    /// What to tell the client, if its body is to blame.
    pub(crate) fn problem(&self) -> Option<Problem> {
        let problem = match self.0.load(Ordering::Acquire) {
            TOO_SLOW => Problem::new(
                Fault::RequestTimeout,
                "body_too_slow",
                "the request's body came more slowly than the `requests.body_*` limits allow",
            ),
            TOO_LARGE => Problem::new(Fault::TooLarge, "body_too_large", "the request's body is too large"),
            BROKEN => {
                Problem::new(Fault::BadRequest, "body_broken", "the request's body did not come to its end")
            }
            _ => return None,
        };
        Some(problem.closing())
    }
}

/// A body with limits. Only time spent waiting for the client counts: a provider that reads slowly is not its fault.
#[derive(Debug)]
pub(crate) struct Inbound<B> {
    body: B,
    max: u64,
    received: u64,
    progress: Progress,
    fate: Arc<Fate>,
    failed: bool,
}

#[derive(Debug)]
struct Progress {
    first_byte: Duration,
    window: Duration,
    /// Bytes that a whole window must bring.
    window_min: u64,
    total: Duration,
    timer: Timer,
    waiting_since: Option<Instant>,
    waited: Duration,
    /// `waited` and `received` when the window began.
    window_began: (Duration, u64),
}

impl<B> Inbound<B> {
    /// Limits `body` to `max` bytes and to the progress that `limits` ask for.
    pub(crate) fn new(body: B, max: u64, limits: &Requests) -> Self {
        let window_min = limits.body_rate_min.saturating_mul(limits.body_window.as_secs().max(1));
        let progress = Progress {
            first_byte: limits.body_first_byte,
            window: limits.body_window,
            window_min,
            total: limits.body_total,
            timer: Timer::default(),
            waiting_since: None,
            waited: Duration::ZERO,
            window_began: (Duration::ZERO, 0),
        };
        Self { body, max, received: 0, progress, fate: Arc::default(), failed: false }
    }

    /// How it goes, for the one who waits for what its reader makes of it.
    pub(crate) fn fate(&self) -> Arc<Fate> {
        Arc::clone(&self.fate)
    }

    fn fail(&mut self, fate: u8, error: BodyError) -> Result<Frame<Bytes>, BodyError> {
        self.failed = true;
        self.fate.0.store(fate, Ordering::Release);
        Err(error)
    }
}

impl Progress {
    /// The client is waited for: ready when it took too long.
    fn wait(&mut self, received: u64, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        loop {
            let waited = self.waited + since.elapsed();
            let (began, bytes_then) = self.window_began;
            let window = if received == 0 { self.first_byte } else { self.window };
            if waited >= self.total {
                return Poll::Ready(());
            }
            if waited >= began + window {
                if received == 0 || received - bytes_then < self.window_min {
                    return Poll::Ready(());
                }
                self.window_began = (waited, received);
                continue;
            }
            self.timer.restart((began + window).min(self.total).saturating_sub(waited));
            if self.timer.poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Something came.
    fn came(&mut self, received: u64) {
        if let Some(since) = self.waiting_since.take() {
            self.waited += since.elapsed();
            if self.waited >= self.window_began.0 + self.window
                && received - self.window_began.1 >= self.window_min
            {
                self.window_began = (self.waited, received);
            }
        }
    }
}

impl<B> Body for Inbound<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if this.failed {
            return Poll::Ready(None);
        }
        Poll::Ready(match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Pending if this.progress.wait(this.received, cx).is_pending() => return Poll::Pending,
            Poll::Pending => Some(this.fail(TOO_SLOW, BodyError::TimedOut(Limit::Idle))),
            Poll::Ready(None) => None,
            Poll::Ready(Some(Err(_))) => Some(this.fail(BROKEN, BodyError::Broken("the client's body"))),
            Poll::Ready(Some(Ok(frame))) => {
                this.received += frame.data_ref().map_or(0, |data| data.len() as u64);
                this.progress.came(this.received);
                if this.received > this.max {
                    Some(this.fail(TOO_LARGE, BodyError::TooLarge { max: this.max }))
                } else {
                    Some(Ok(frame))
                }
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.failed || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Channel};

    use super::*;

    fn inbound(max: u64) -> (http_body_util::channel::Sender<Bytes>, Inbound<Channel<Bytes>>) {
        let (sender, body) = Channel::new(4);
        (sender, Inbound::new(body, max, &Requests::default()))
    }

    async fn reads(body: Inbound<Channel<Bytes>>) -> (Result<usize, BodyError>, Option<Fault>, Duration) {
        let (fate, began) = (body.fate(), Instant::now());
        let read = body.collect().await.map(|collected| collected.to_bytes().len());
        (read, fate.problem().map(|problem| problem.fault), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn silence_before_the_first_byte() {
        let (_sender, body) = inbound(100);
        let (read, fault, took) = reads(body).await;
        assert_eq!(read, Err(BodyError::TimedOut(Limit::Idle)));
        assert_eq!(fault, Some(Fault::RequestTimeout));
        assert_eq!(took.as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_after_some_bytes() {
        let (mut sender, body) = inbound(100);
        sender.send_data(Bytes::from_static(b"ab")).await.unwrap();
        let (read, fault, took) = reads(body).await;
        assert_eq!((read, fault), (Err(BodyError::TimedOut(Limit::Idle)), Some(Fault::RequestTimeout)));
        assert_eq!(took.as_secs(), 15);
    }

    #[tokio::test(start_paused = true)]
    async fn ten_bytes_a_second_is_too_slow_and_two_kilobytes_are_not() {
        for (bytes, expected) in [(10, Some(Fault::RequestTimeout)), (2048, None)] {
            let (mut sender, body) = inbound(1 << 30);
            let feed = async move {
                for _ in 0..100 {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    if sender.send_data(Bytes::from(vec![0; bytes])).await.is_err() {
                        return;
                    }
                }
            };
            let ((), (_, fault, took)) = tokio::join!(feed, reads(body));
            assert_eq!(fault, expected, "{bytes}");
            assert!(expected.is_none() || took.as_secs() <= 16, "{took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_its_time_is_not_the_clients_fault() {
        let (mut sender, mut body) = inbound(100);
        for _ in 0..5 {
            sender.send_data(Bytes::from_static(b"x")).await.unwrap();
            tokio::time::sleep(Duration::from_mins(1)).await;
            body.frame().await.unwrap().unwrap();
        }
        drop(sender);
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn one_byte_above_the_limit() {
        for (len, fault) in [(100, None), (101, Some(Fault::TooLarge))] {
            let (mut sender, body) = inbound(100);
            sender.send_data(Bytes::from(vec![0; len])).await.unwrap();
            drop(sender);
            assert_eq!(reads(body).await.1, fault, "{len}");
        }
    }
}
