//! HTTP/2 over the `h2` crate, so that streams can be reset, refused and left hanging.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, Response};

use crate::answer::{Answer, Step};
use crate::book::Head;
use crate::http1::latin1;
use crate::log::{BodyFraming, Ended, Ending, Entry, Protocol};
use crate::provider::Natural;
use crate::script::{Act, Cut, Script};
use crate::shared::{Accepted, Shared};
use crate::wire::Wire;

/// Serves one connection to its end.
pub(crate) async fn serve(shared: Arc<Shared>, wire: Wire, accepted: Accepted) {
    let how = connection(&shared, wire, accepted).await;
    shared.log.disconnected(accepted.number, Ended { how, after: accepted.at.elapsed() });
}

async fn connection(shared: &Shared, wire: Wire, accepted: Accepted) -> Ending {
    let mut builder = h2::server::Builder::new();
    // Windows such as public providers give: a large body does not wait for every 64 KiB.
    builder.initial_window_size(1 << 20).initial_connection_window_size(4 << 20).max_concurrent_streams(1000);
    let mut connection = match builder.handshake::<_, Bytes>(wire).await {
        Ok(connection) => connection,
        Err(error) => return ending(&error),
    };
    // All in one task: whatever a stream has sent is written before the same stream can do its next thing.
    let mut exchanges = FuturesUnordered::new();
    let how = loop {
        tokio::select! {
            accepting = connection.accept() => match accepting {
                Some(Ok((request, respond))) => exchanges.push(Exchange { respond }.serve(shared, accepted, request)),
                Some(Err(error)) => break ending(&error),
                None if exchanges.is_empty() => break Ending::Complete,
                None => break Ending::PeerClosed,
            },
            Some(then) = exchanges.next() => if then == Then::HangUp {
                break Ending::BySim;
            }
        }
    };
    drop(connection);
    // Those that were under way learn from their streams that the connection is gone, and write that down.
    while exchanges.next().await.is_some() {}
    how
}

/// What becomes of the connection after an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    GoOn,
    HangUp,
}

/// One request and its answer.
struct Exchange {
    respond: SendResponse<Bytes>,
}

/// The error says why the answer did not go out whole.
type Sent = Result<(), Broken>;

/// Why an answer did not go out whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    /// The peer, or the stream's reset that the script asked for.
    Stream(Ending),
    /// The script closes the whole connection without a word.
    HangUp,
}

impl Exchange {
    async fn serve(mut self, shared: &Shared, accepted: Accepted, request: Request<RecvStream>) -> Then {
        let (parts, incoming) = request.into_parts();
        let head = head(&parts);
        let entry = Entry::begin(&shared.log, accepted.at, accepted.received(&head, Protocol::Http2));
        let sent = self.follow(shared, &head, incoming, &entry).await;
        entry.end(match sent {
            Ok(()) => Ending::Complete,
            Err(Broken::Stream(ending)) => ending,
            Err(Broken::HangUp) => Ending::BySim,
        });
        if sent == Err(Broken::HangUp) { Then::HangUp } else { Then::GoOn }
    }

    async fn follow(
        &mut self,
        shared: &Shared,
        head: &Head,
        incoming: RecvStream,
        entry: &Entry<'_>,
    ) -> Sent {
        let known = shared.script_by_head(head);
        match known.as_ref().map(|script| &script.act) {
            Some(Act::CloseBeforeBody) => return Err(Broken::HangUp),
            Some(Act::Refuse) => return self.reset(Reason::REFUSED_STREAM),
            Some(Act::AnswerEarly) => {
                let script = known.unwrap_or_default();
                let sending = self.answer(shared, &script, None, head, b"", entry);
                let (sent, read) = tokio::join!(
                    sending,
                    body(incoming, entry, || shared.book.wait_at(script.read_gate.as_ref()))
                );
                return sent.and(read.map(|_| ()));
            }
            _ => {}
        }
        let gate = known.as_ref().and_then(|script| script.read_gate.as_ref());
        let body = body(incoming, entry, || shared.book.wait_at(gate)).await?;
        let (script, refusal) =
            known.map_or_else(|| Answer::unscripted(head, &body), |script| (script, None));
        match script.act {
            Act::Answer | Act::AnswerEarly => self.answer(shared, &script, refusal, head, &body, entry).await,
            Act::Never => Err(Broken::Stream(self.gone().await)),
            Act::CloseBeforeBody | Act::CloseAfterBody | Act::Raw(_) => Err(Broken::HangUp),
            Act::ResetAfterBody => self.reset(Reason::INTERNAL_ERROR),
            Act::Refuse => self.reset(Reason::REFUSED_STREAM),
        }
    }

    async fn answer(
        &mut self,
        shared: &Shared,
        script: &Script,
        refusal: Option<Natural>,
        head: &Head,
        body: &[u8],
        entry: &Entry<'_>,
    ) -> Sent {
        let mut answer = Answer::new(script, refusal, head, body);
        let waiting = async {
            shared.book.wait_at(script.head_gate.as_ref()).await;
            tokio::time::sleep(script.head_delay).await;
        };
        tokio::select! {
            () = waiting => {}
            gone = self.gone() => return Err(Broken::Stream(gone)),
        }
        let mut stream = self.respond.send_response(response(&answer)?, false).map_err(broken)?;
        entry.answered(answer.status);
        pieces(&mut stream, shared, script, &mut answer, entry).await?;
        match answer.cut {
            None | Some(Cut::Clean) => stream.send_data(Bytes::new(), true).map_err(broken),
            Some(Cut::Close) => {
                drained(&mut stream).await?;
                Err(Broken::HangUp)
            }
            Some(Cut::Reset) => {
                drained(&mut stream).await?;
                stream.send_reset(Reason::INTERNAL_ERROR);
                Err(Broken::Stream(Ending::BySim))
            }
            Some(Cut::Silence) => Err(Broken::Stream(reset(&mut stream).await)),
        }
    }

    fn reset(&mut self, reason: Reason) -> Sent {
        self.respond.send_reset(reason);
        Err(Broken::Stream(Ending::BySim))
    }

    async fn gone(&mut self) -> Ending {
        match poll_fn(|context| self.respond.poll_reset(context)).await {
            Ok(reason) => Ending::PeerReset(Some(reason.into())),
            Err(error) => ending(&error),
        }
    }
}

async fn pieces(
    stream: &mut SendStream<Bytes>,
    shared: &Shared,
    script: &Script,
    answer: &mut Answer,
    entry: &Entry<'_>,
) -> Sent {
    let mut first = true;
    while let Some(step) = answer.pieces.next() {
        let waiting = async {
            match &step {
                Step::WaitAt(gate) => shared.book.wait_at(Some(gate)).await,
                Step::Piece(_) => shared.book.wait_at(script.piece_gate.as_ref()).await,
            }
            if !first && !script.piece_delay.is_zero() {
                tokio::time::sleep(script.piece_delay).await;
            }
        };
        tokio::select! {
            () = waiting => {}
            gone = reset(stream) => return Err(Broken::Stream(gone)),
        }
        if let Step::Piece(piece) = step {
            first = false;
            let length = piece.len();
            send(stream, piece).await?;
            entry.sent(length);
        }
    }
    Ok(())
}

/// Sends one piece, in as many frames as the peer's windows ask for.
async fn send(stream: &mut SendStream<Bytes>, mut piece: Bytes) -> Sent {
    while !piece.is_empty() {
        stream.reserve_capacity(piece.len());
        let capacity = poll_fn(|context| match poll_gone(stream, context) {
            Poll::Ready(gone) => Poll::Ready(Err(Broken::Stream(gone))),
            Poll::Pending => stream.poll_capacity(context).map(|capacity| match capacity {
                Some(capacity) => capacity.map_err(broken),
                None => Err(Broken::Stream(Ending::PeerClosed)),
            }),
        });
        let capacity = capacity.await?.min(piece.len());
        stream.send_data(piece.split_to(capacity), false).map_err(broken)?;
        // Each piece is a frame of its own: the connection's task gets a turn to write it.
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Gives the connection's task time to write what was sent, before the stream or the connection is cut behind it.
async fn drained(stream: &mut SendStream<Bytes>) -> Sent {
    for _ in 0..TURNS {
        tokio::select! {
            biased;
            gone = reset(stream) => return Err(Broken::Stream(gone)),
            () = tokio::task::yield_now() => {}
        }
    }
    Ok(())
}

/// Turns of the scheduler that are enough for the connection's task to write a frame that lies ready.
const TURNS: u32 = 64;

async fn reset(stream: &mut SendStream<Bytes>) -> Ending {
    poll_fn(|context| poll_gone(stream, context)).await
}

fn poll_gone(stream: &mut SendStream<Bytes>, context: &mut Context<'_>) -> Poll<Ending> {
    stream.poll_reset(context).map(|reset| match reset {
        Ok(reason) => Ending::PeerReset(Some(reason.into())),
        Err(error) => ending(&error),
    })
}

async fn body<W: Future<Output = ()>>(
    mut incoming: RecvStream,
    entry: &Entry<'_>,
    before_read: impl Fn() -> W,
) -> Result<Bytes, Broken> {
    let mut body = BytesMut::new();
    let mut frames = Vec::new();
    let read = loop {
        before_read().await;
        match incoming.data().await {
            None => break Ok(()),
            Some(Err(error)) => break Err(broken(error)),
            Some(Ok(frame)) => {
                frames.push(frame.len());
                body.extend_from_slice(&frame);
                if let Err(error) = incoming.flow_control().release_capacity(frame.len()) {
                    break Err(broken(error));
                }
            }
        }
    };
    let body = body.freeze();
    let framing = if frames.is_empty() { BodyFraming::None } else { BodyFraming::Frames(frames) };
    entry.body(body.clone(), framing, read.is_ok());
    read.map(|()| body)
}

fn head(parts: &http::request::Parts) -> Head {
    let target = parts.uri.path_and_query().map_or("*", http::uri::PathAndQuery::as_str).to_owned();
    let authority = parts.uri.authority().map(|authority| (":authority".to_owned(), authority.to_string()));
    let rest = parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), latin1(value.as_bytes())));
    let headers = authority.into_iter().chain(rest).collect();
    Head { method: parts.method.to_string(), target, headers }
}

fn response(answer: &Answer) -> Result<Response<()>, Broken> {
    let mut headers = HeaderMap::new();
    let length = answer.length.map(|length| ("content-length".to_owned(), length.to_string()));
    for (name, value) in answer.headers.iter().cloned().chain(length) {
        let name = http::HeaderName::from_bytes(name.to_ascii_lowercase().as_bytes());
        let value = http::HeaderValue::from_bytes(&value.chars().map(|byte| byte as u8).collect::<Vec<_>>());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    let mut response = Response::builder().status(answer.status).body(()).map_err(|_| Broken::HangUp)?;
    *response.headers_mut() = headers;
    Ok(response)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn broken(error: h2::Error) -> Broken {
    Broken::Stream(ending(&error))
}

fn ending(error: &h2::Error) -> Ending {
    match error.reason() {
        Some(reason) if error.is_remote() => Ending::PeerReset(Some(reason.into())),
        _ if error.is_io() => error.get_io().map_or(Ending::PeerClosed, crate::http1::io_ending),
        _ => Ending::Garbled,
    }
}
