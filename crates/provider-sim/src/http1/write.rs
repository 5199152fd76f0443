//! Writes an answer onto an HTTP/1.1 connection, right or wrong, as its script says.

use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::Then;
use super::read::ending;
use crate::answer::{Answer, Step};
use crate::book::Book;
use crate::log::{Ending, Entry};
use crate::script::{Cut, Script};
use crate::wire::Fuse;

/// How many bytes of content the peer was promised.
#[derive(Debug, Clone, Copy)]
enum Promise {
    Length(u64),
    Chunks,
    UntilClose,
}

pub(super) async fn send(
    writer: &mut (impl AsyncWrite + Unpin),
    book: &Book,
    script: &Script,
    mut answer: Answer,
    entry: &Entry<'_>,
    fuse: &Fuse,
) -> Result<Then, Ending> {
    let promise = match answer.length {
        Some(length) => Promise::Length(length),
        None if answer.by_close => Promise::UntilClose,
        None => Promise::Chunks,
    };
    book.wait_at(script.head_gate.as_ref()).await;
    tokio::time::sleep(script.head_delay).await;
    for _ in 0..script.informational {
        put(writer, b"HTTP/1.1 103 Early Hints\r\nLink: </style>; rel=preload\r\n\r\n").await?;
    }
    put(writer, head(script, &answer, promise).as_bytes()).await?;
    entry.answered(answer.status);
    let sent = pieces(writer, book, script, &mut answer, promise, entry).await?;
    end(writer, script, answer.cut, promise, sent, fuse).await
}

/// Sends the pieces; how many bytes they were.
async fn pieces(
    writer: &mut (impl AsyncWrite + Unpin),
    book: &Book,
    script: &Script,
    answer: &mut Answer,
    promise: Promise,
    entry: &Entry<'_>,
) -> Result<u64, Ending> {
    let mut sent = 0;
    while let Some(step) = answer.pieces.next() {
        let piece = match step {
            Step::Piece(piece) => piece,
            Step::WaitAt(gate) => {
                book.wait_at(Some(&gate)).await;
                continue;
            }
        };
        book.wait_at(script.piece_gate.as_ref()).await;
        if sent > 0 && !script.piece_delay.is_zero() {
            tokio::time::sleep(script.piece_delay).await;
        }
        match promise {
            Promise::Chunks => put(writer, &chunk(&piece)).await?,
            Promise::Length(_) | Promise::UntilClose => put(writer, &piece).await?,
        }
        sent += piece.len() as u64;
        entry.sent(piece.len());
    }
    Ok(sent)
}

async fn end(
    writer: &mut (impl AsyncWrite + Unpin),
    script: &Script,
    cut: Option<Cut>,
    promise: Promise,
    sent: u64,
    fuse: &Fuse,
) -> Result<Then, Ending> {
    match cut {
        None | Some(Cut::Clean) => {}
        Some(Cut::Close) => return Err(Ending::BySim),
        Some(Cut::Reset) => {
            fuse.light();
            return Err(Ending::BySim);
        }
        // The peer's leaving ends this wait.
        Some(Cut::Silence) => std::future::pending::<()>().await,
    }
    if matches!(promise, Promise::Chunks) {
        put(writer, b"0\r\n\r\n").await?;
    }
    put(writer, script.extra.as_bytes()).await?;
    match promise {
        Promise::Length(length) if length > sent => Err(Ending::BySim),
        Promise::Length(_) | Promise::Chunks => Ok(Then::KeepOpen),
        Promise::UntilClose => Ok(Then::Close),
    }
}

async fn put(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), Ending> {
    writer.write_all(bytes).await.map_err(|error| ending(&error))?;
    writer.flush().await.map_err(|error| ending(&error))
}

fn chunk(piece: &Bytes) -> Bytes {
    let mut chunk = BytesMut::with_capacity(piece.len() + 16);
    chunk.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
    chunk.extend_from_slice(piece);
    chunk.extend_from_slice(b"\r\n");
    chunk.freeze()
}

fn head(script: &Script, answer: &Answer, promise: Promise) -> String {
    let usual = || StatusCode::from_u16(answer.status).ok().and_then(|status| status.canonical_reason());
    let reason = script.reason.as_deref().or_else(usual).unwrap_or("Unknown");
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", answer.status);
    for (name, value) in &answer.headers {
        // Writing to a string does not fail.
        let _ = write!(head, "{name}: {value}\r\n");
    }
    match promise {
        Promise::Length(length) => {
            let _ = write!(head, "Content-Length: {length}\r\n");
        }
        Promise::Chunks => head.push_str("Transfer-Encoding: chunked\r\n"),
        Promise::UntilClose => head.push_str("Connection: close\r\n"),
    }
    head.push_str("\r\n");
    head
}
