//! Reads requests off an HTTP/1.1 connection, keeping exactly what came.

use std::io;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::book::Head;
use crate::log::{BodyFraming, Ending};

/// The longest head that is read.
const HEAD_MAX: usize = 1024 * 1024;
/// The longest body that is read.
const BODY_MAX: usize = 512 * 1024 * 1024;
/// What is read ahead while an answer goes out.
const AHEAD_MAX: usize = 64 * 1024;

/// The reading half of a connection, with what was read ahead.
pub(super) struct Inlet<R> {
    reader: R,
    buffer: BytesMut,
}

/// A body on its way in. It keeps what has come also when the peer leaves in the middle.
pub(super) struct Incoming {
    pub(super) body: BytesMut,
    pub(super) framing: BodyFraming,
}

impl<R: AsyncRead + Unpin> Inlet<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: BytesMut::with_capacity(16 * 1024) }
    }

    /// The next request's head; None where the peer closed the connection between two requests.
    pub(super) async fn head(&mut self) -> Result<Option<Head>, Ending> {
        let end = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end;
            }
            if self.buffer.len() > HEAD_MAX {
                return Err(Ending::Garbled);
            }
            if self.fill().await? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(Ending::PeerClosed) };
            }
        };
        let head = self.buffer.split_to(end + 4);
        parse(&head[..end]).map(Some).ok_or(Ending::Garbled)
    }

    /// Reads the body that `head` announces into `incoming`, and waits for `before_read` before every read.
    pub(super) async fn body<W: Future<Output = ()>>(
        &mut self,
        head: &Head,
        incoming: &mut Incoming,
        before_read: &impl Fn() -> W,
    ) -> Result<(), Ending> {
        if head.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return self.chunked(incoming, before_read).await;
        }
        let Some(length) = head.header("content-length") else { return Ok(()) };
        let length: usize = length.parse().map_err(|_| Ending::Garbled)?;
        incoming.framing = BodyFraming::Length(length as u64);
        self.exactly(length, &mut incoming.body, before_read).await
    }

    async fn chunked<W: Future<Output = ()>>(
        &mut self,
        incoming: &mut Incoming,
        before_read: &impl Fn() -> W,
    ) -> Result<(), Ending> {
        let mut sizes = Vec::new();
        loop {
            let line = self.line(before_read).await?;
            let size = std::str::from_utf8(&line).ok().and_then(|line| line.split(';').next());
            let size =
                size.and_then(|size| usize::from_str_radix(size.trim(), 16).ok()).ok_or(Ending::Garbled)?;
            if size == 0 {
                while !self.line(before_read).await?.is_empty() {}
                return Ok(());
            }
            sizes.push(size);
            incoming.framing = BodyFraming::Chunked(sizes.clone());
            self.exactly(size, &mut incoming.body, before_read).await?;
            if !self.line(before_read).await?.is_empty() {
                return Err(Ending::Garbled);
            }
        }
    }

    async fn exactly<W: Future<Output = ()>>(
        &mut self,
        length: usize,
        body: &mut BytesMut,
        before_read: &impl Fn() -> W,
    ) -> Result<(), Ending> {
        if body.len().saturating_add(length) > BODY_MAX {
            return Err(Ending::Garbled);
        }
        let mut left = length;
        loop {
            let taken = left.min(self.buffer.len());
            body.extend_from_slice(&self.buffer[..taken]);
            self.buffer.advance(taken);
            left -= taken;
            if left == 0 {
                return Ok(());
            }
            self.some(before_read).await?;
        }
    }

    /// The next line, without its end.
    async fn line<W: Future<Output = ()>>(&mut self, before_read: &impl Fn() -> W) -> Result<Bytes, Ending> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n") {
                let line = self.buffer.split_to(end).freeze();
                self.buffer.advance(2);
                return Ok(line);
            }
            if self.buffer.len() > HEAD_MAX {
                return Err(Ending::Garbled);
            }
            self.some(before_read).await?;
        }
    }

    async fn some<W: Future<Output = ()>>(&mut self, before_read: &impl Fn() -> W) -> Result<(), Ending> {
        before_read().await;
        if self.fill().await? == 0 { Err(Ending::PeerClosed) } else { Ok(()) }
    }

    async fn fill(&mut self) -> Result<usize, Ending> {
        self.buffer.reserve(16 * 1024);
        self.reader.read_buf(&mut self.buffer).await.map_err(|error| ending(&error))
    }

    /// Waits until the peer is gone, reading ahead what it may still send. Safe to drop at any time.
    pub(super) async fn gone(&mut self) -> Ending {
        loop {
            if self.buffer.len() > AHEAD_MAX {
                std::future::pending::<()>().await;
            }
            match self.fill().await {
                Ok(0) => return Ending::PeerClosed,
                Ok(_) => {}
                Err(ending) => return ending,
            }
        }
    }
}

impl Incoming {
    pub(super) fn new() -> Self {
        Self { body: BytesMut::new(), framing: BodyFraming::None }
    }
}

/// How a connection ended that fails with `error`.
pub(crate) fn ending(error: &io::Error) -> Ending {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Ending::PeerReset(None),
        // A TLS peer that leaves without a goodbye.
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => Ending::PeerClosed,
        _ => Ending::Garbled,
    }
}

fn parse(head: &[u8]) -> Option<Head> {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let request = latin1(lines.next()?);
    let mut words = request.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if !version.starts_with("HTTP/1.") || words.next().is_some() {
        return None;
    }
    let mut headers = Vec::new();
    for line in lines {
        let text = latin1(line);
        let (name, value) = text.split_once(':')?;
        headers.push((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()));
    }
    Some(Head { method: method.to_owned(), target: target.to_owned(), headers })
}

/// Each byte as the character of the same number, so that nothing is lost.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(wire: &[u8], step: usize) -> (Head, Result<(), Ending>, Incoming) {
        let (mut peer, socket) = tokio::io::duplex(step);
        let wire = wire.to_vec();
        let writing = async move {
            use tokio::io::AsyncWriteExt as _;
            peer.write_all(&wire).await.unwrap();
        };
        let reading = async move {
            let mut inlet = Inlet::new(socket);
            let head = inlet.head().await.unwrap().unwrap();
            let mut incoming = Incoming::new();
            let read = inlet.body(&head, &mut incoming, &|| std::future::ready(())).await;
            (head, read, incoming)
        };
        tokio::join!(writing, reading).1
    }

    #[tokio::test]
    async fn a_chunked_body_is_kept_with_its_chunks_at_any_cut() {
        let wire = b"POST /a?b=%2F HTTP/1.1\r\nHOST: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nt: v\r\n\r\n";
        for step in [1, 2, 7, 1024] {
            let (head, read, incoming) = read(wire, step).await;
            assert_eq!((head.target.as_str(), head.headers[0].0.as_str()), ("/a?b=%2F", "HOST"));
            assert_eq!((read, &incoming.body[..]), (Ok(()), b"abcde".as_slice()));
            assert_eq!(incoming.framing, BodyFraming::Chunked(vec![3, 2]));
        }
    }

    #[tokio::test]
    async fn a_body_that_ends_early_is_kept_as_far_as_it_came() {
        let wire = b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc";
        let (_, read, incoming) = read(wire, 1024).await;
        assert_eq!((read, &incoming.body[..]), (Err(Ending::PeerClosed), b"abc".as_slice()));
    }
}
