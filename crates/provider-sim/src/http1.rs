//! HTTP/1.1 by hand, so that an answer can be wrong in every way that a provider's can.

mod read;
mod write;

use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

use crate::answer::Answer;
use crate::book::Head;
use crate::log::{Ended, Ending, Entry, Protocol};
use crate::provider::Natural;
use crate::script::{Act, Script};
use crate::shared::{Accepted, Shared};
use crate::wire::{Fuse, Wire};
use read::{Incoming, Inlet, ending};

pub(crate) use read::{ending as io_ending, latin1};

/// What becomes of the connection after an answer that went out as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    KeepOpen,
    Close,
}

/// Serves one connection to its end.
pub(crate) async fn serve(shared: Arc<Shared>, wire: Wire, accepted: Accepted) {
    let fuse = wire.fuse();
    let (reader, writer) = tokio::io::split(wire);
    let mut connection =
        Http1 { shared: &shared, accepted: &accepted, fuse, inlet: Inlet::new(reader), writer };
    let how = loop {
        if let Err(how) = connection.request().await {
            break how;
        }
    };
    if !connection.fuse.is_lit() {
        // It fails where the peer was faster.
        let _ = connection.writer.shutdown().await;
    }
    drop(connection);
    shared.log.disconnected(accepted.number, Ended { how, after: accepted.at.elapsed() });
}

struct Http1<'a, R, W> {
    shared: &'a Shared,
    accepted: &'a Accepted,
    fuse: Fuse,
    inlet: Inlet<R>,
    writer: W,
}

impl<'a, R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Http1<'a, R, W> {
    /// Serves one request; the error says how the connection ended.
    async fn request(&mut self) -> Result<(), Ending> {
        let Some(head) = self.inlet.head().await? else { return Err(Ending::Complete) };
        let received = self.accepted.received(&head, Protocol::Http1);
        let entry = Entry::begin(&self.shared.log, self.accepted.at, received);
        let followed = self.follow(&head, &entry).await;
        entry.end(followed.err().unwrap_or(Ending::Complete));
        match followed? {
            Then::KeepOpen if !asks_to_close(&head) => Ok(()),
            Then::KeepOpen | Then::Close => Err(Ending::BySim),
        }
    }

    async fn follow(&mut self, head: &Head, entry: &Entry<'a>) -> Result<Then, Ending> {
        let known = self.shared.script_by_head(head);
        match known.as_ref().map(|script| &script.act) {
            Some(Act::CloseBeforeBody | Act::Refuse) => return Err(Ending::BySim),
            Some(Act::AnswerEarly) => {
                let script = known.unwrap_or_default();
                let then = self.answer(&script, None, head, b"", entry).await?;
                self.body(head, script.read_gate.as_ref(), entry).await?;
                return Ok(then);
            }
            _ => {}
        }
        let gate = known.as_ref().and_then(|script| script.read_gate.as_ref());
        let body = self.body(head, gate, entry).await?;
        let (script, refusal) =
            known.map_or_else(|| Answer::unscripted(head, &body), |script| (script, None));
        match &script.act {
            Act::Answer | Act::AnswerEarly => self.answer(&script, refusal, head, &body, entry).await,
            Act::Never => Err(self.inlet.gone().await),
            Act::CloseBeforeBody | Act::CloseAfterBody | Act::Refuse => Err(Ending::BySim),
            Act::ResetAfterBody => {
                self.fuse.light();
                Err(Ending::BySim)
            }
            Act::Raw(bytes) => {
                self.writer.write_all(bytes.as_bytes()).await.map_err(|error| ending(&error))?;
                Ok(Then::Close)
            }
        }
    }

    async fn body(&mut self, head: &Head, gate: Option<&String>, entry: &Entry<'a>) -> Result<Bytes, Ending> {
        if head.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            let go_on = self.writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
            go_on.map_err(|error| ending(&error))?;
        }
        let mut incoming = Incoming::new();
        let book = &self.shared.book;
        let read = self.inlet.body(head, &mut incoming, &|| book.wait_at(gate)).await;
        let body = incoming.body.freeze();
        entry.body(body.clone(), incoming.framing, read.is_ok());
        read.map(|()| body)
    }

    /// Sends an answer, unless the peer leaves before it is through.
    async fn answer(
        &mut self,
        script: &Script,
        refusal: Option<Natural>,
        head: &Head,
        body: &[u8],
        entry: &Entry<'a>,
    ) -> Result<Then, Ending> {
        let answer = Answer::new(script, refusal, head, body);
        let sending = write::send(&mut self.writer, &self.shared.book, script, answer, entry, &self.fuse);
        tokio::select! {
            biased;
            sent = sending => sent,
            gone = self.inlet.gone() => Err(gone),
        }
    }
}

fn asks_to_close(head: &Head) -> bool {
    head.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
}
