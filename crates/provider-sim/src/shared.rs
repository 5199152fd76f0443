//! What every connection of one simulator shares.

use std::time::Instant;

use bytes::Bytes;

use crate::book::{Book, Head};
use crate::log::{BodyFraming, Connection, Log, Protocol, Received};
use crate::provider::Asked;
use crate::script::Script;

/// The log, the scripts and the gates of one simulator.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) log: Log,
    pub(crate) book: Book,
}

impl Shared {
    /// The script that a request's head alone calls for: one from the book, or one in the model's name in the path.
    pub(crate) fn script_by_head(&self, head: &Head) -> Option<Script> {
        let in_path = || Asked::read(head, b"").ok().and_then(|asked| Script::from_words(&asked.model));
        self.book.choose(head).or_else(in_path)
    }
}

/// One accepted connection, as the log knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Accepted {
    pub(crate) number: u64,
    pub(crate) at: Instant,
    pub(crate) tls: bool,
}

impl Accepted {
    pub(crate) fn new(log: &Log, at: Instant, connection: Connection) -> Self {
        let tls = connection.tls;
        Self { number: log.connected(connection), at, tls }
    }

    /// The log's entry for a request whose head has come.
    pub(crate) fn received(&self, head: &Head, protocol: Protocol) -> Received {
        Received {
            number: 0,
            connection: self.number,
            protocol,
            tls: self.tls,
            method: head.method.clone(),
            target: head.target.clone(),
            headers: head.headers.clone(),
            body: Bytes::new(),
            framing: BodyFraming::None,
            body_complete: false,
            status: None,
            sent: 0,
            ended: None,
        }
    }
}
