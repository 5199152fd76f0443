//! The gate between a socket and hyper: every HTTP/1.1 head is held back until it is whole and checked, so that hyper and
//! what comes after it see only requests that can be read in one way.
//!
//! It knows at each byte whether it stands in a head or in a body ([`Place`]), because it follows the framing itself. So
//! a head that is refused is replaced by one of the gate's own making, which hyper takes for a request; the service
//! recognises it by its method and answers in the dialect of the path. Nothing behind a refused head is read as a request.
//! HTTP/2 passes as it is: h2 checks what the RFC asks, and its frames have lengths.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    reading::Reading,
    scan::{Place, Violation},
    timer::Timer,
    wire::Wire,
};

/// Read at once while standing in a head or a chunked body; most requests fit.
const READ: usize = 4096;
/// How long the gate goes on discarding what a client still sends after its answer, so that the client reads the answer
/// instead of a reset: between two reads, and in all.
const LINGER_IDLE: Duration = Duration::from_secs(2);
const LINGER_TOTAL: Duration = Duration::from_secs(10);

/// Limits on time that the gate holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// From a head's first byte to its last.
    pub(super) head: Duration,
    /// Without a byte leaving while bytes wait to leave.
    pub(super) write_stall: Duration,
}

/// A socket behind the gate.
#[derive(Debug)]
pub(super) struct Gate<IO> {
    io: IO,
    wire: Arc<Wire>,
    limits: Limits,
    reading: Reading,
    head_limit: Timer,
    write_limit: Timer,
    lingering: Option<Lingering>,
    /// Makes the close of `io` a reset.
    reset: fn(&IO),
}

#[derive(Debug, Default)]
struct Lingering {
    idle: Timer,
    total: Timer,
}

impl<IO> Gate<IO> {
    /// A gate for HTTP/1 before `io`, of which `first` was read already.
    pub(super) fn http1(io: IO, first: Vec<u8>, wire: Arc<Wire>, limits: Limits, reset: fn(&IO)) -> Self {
        Self::new(io, first, wire, limits, Some(Place::Head), reset)
    }

    /// A gate for HTTP/2: bytes pass, only the limit on writing holds.
    pub(super) fn http2(io: IO, first: Vec<u8>, wire: Arc<Wire>, limits: Limits) -> Self {
        Self::new(io, first, wire, limits, None, |_| {})
    }

    fn new(
        io: IO,
        inbox: Vec<u8>,
        wire: Arc<Wire>,
        limits: Limits,
        place: Option<Place>,
        reset: fn(&IO),
    ) -> Self {
        let reading = Reading::new(place, inbox);
        Self {
            io,
            wire,
            limits,
            reading,
            head_limit: Timer::default(),
            write_limit: Timer::default(),
            lingering: None,
            reset,
        }
    }
}

impl<IO> Drop for Gate<IO> {
    fn drop(&mut self) {
        if self.wire.wants_reset() {
            (self.reset)(&self.io);
        }
    }
}

// === impl AsyncRead ===

impl<IO: AsyncRead + Unpin> Gate<IO> {
    fn fill(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.reading.hand_on(buffer) {
                return Poll::Ready(Ok(()));
            }
            if self.reading.refused {
                // hyper has the stand-in; nothing more is read. The answer to it closes the connection.
                return Poll::Pending;
            }
            if self.reading.broken {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
            match self.reading.advance() {
                Ok(()) if self.reading.has_cleared() => continue,
                Ok(()) => {}
                Err(violation) => {
                    self.refuse(violation);
                    continue;
                }
            }
            if let Some(most) = self.reading.direct() {
                return self.read_past(cx, buffer, most);
            }
            match self.read_in(cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if !self.reading.in_head() => {
                    self.head_limit.stop();
                    return Poll::Pending;
                }
                Poll::Pending => {
                    self.head_limit.start(self.limits.head);
                    ready!(self.head_limit.poll(cx));
                    self.refuse(Violation::HeadTooSlow);
                }
            }
        }
    }

    /// A bad head becomes the stand-in; a bad body cannot be mended: its reader gets an error in its place.
    fn refuse(&mut self, violation: Violation) {
        if !self.reading.at_head() {
            self.reading.broken = true;
            return;
        }
        self.head_limit.stop();
        let refused = self.reading.refuse(violation);
        self.wire.refuse(refused);
    }

    /// Reads into the inbox; how much.
    fn read_in(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [const { MaybeUninit::<u8>::uninit() }; READ];
        let mut space = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut space))?;
        self.reading.take_in(space.filled());
        Poll::Ready(Ok(space.filled().len()))
    }

    /// Reads at most `most` bytes of a body straight to where hyper wants them.
    fn read_past(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
        most: u64,
    ) -> Poll<io::Result<()>> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let before = buffer.filled().len();
        if buffer.remaining() <= most {
            ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        } else {
            let mut part = ReadBuf::new(buffer.initialize_unfilled_to(most));
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut part))?;
            let count = part.filled().len();
            buffer.advance(count);
        }
        self.reading.passed((buffer.filled().len() - before) as u64);
        Poll::Ready(Ok(()))
    }

    /// Discards what still comes, within limits.
    fn linger(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(lingering) = &mut self.lingering else { return Poll::Ready(Ok(())) };
        lingering.total.start(LINGER_TOTAL);
        lingering.idle.start(LINGER_IDLE);
        let mut space = [const { MaybeUninit::<u8>::uninit() }; READ];
        loop {
            if lingering.total.poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut space = ReadBuf::uninit(&mut space);
            match Pin::new(&mut self.io).poll_read(cx, &mut space) {
                Poll::Ready(Ok(())) if !space.filled().is_empty() => lingering.idle.restart(LINGER_IDLE),
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    ready!(lingering.idle.poll(cx));
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Gate<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.get_mut().fill(cx, buffer)
    }
}

// === impl AsyncWrite ===

impl<IO> Gate<IO> {
    /// Holds the limit on writing over the outcome of one step.
    fn within_write_limit<T>(
        &mut self,
        cx: &mut Context<'_>,
        step: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if step.is_ready() {
            self.write_limit.stop();
            return step;
        }
        self.write_limit.start(self.limits.write_stall);
        ready!(self.write_limit.poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Gate<IO> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let gate = self.get_mut();
        let step = Pin::new(&mut gate.io).poll_write(cx, bytes);
        gate.within_write_limit(cx, step)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let gate = self.get_mut();
        let step = Pin::new(&mut gate.io).poll_write_vectored(cx, slices);
        gate.within_write_limit(cx, step)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let gate = self.get_mut();
        let step = Pin::new(&mut gate.io).poll_flush(cx);
        ready!(gate.within_write_limit(cx, step))?;
        gate.wire.note_flush();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let gate = self.get_mut();
        if gate.lingering.is_none() {
            let step = Pin::new(&mut gate.io).poll_shutdown(cx);
            ready!(gate.within_write_limit(cx, step))?;
            if !gate.reading.leaves_something() {
                return Poll::Ready(Ok(()));
            }
            gate.lingering = Some(Lingering::default());
        }
        gate.linger(cx)
    }
}
