//! Exactly what was received, and how every request and connection ended.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::watch;

/// How long a test waits for something that it has every reason to expect, before it fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Requests kept; older ones are forgotten, their numbers are not given again.
const REQUESTS_MAX: usize = 4096;

/// What was waited for did not happen in time: within [`PATIENCE`], where nobody says otherwise.
#[derive(Debug, thiserror::Error)]
#[error("not seen in time: {0}")]
pub struct NotSeen(pub(crate) String);

/// The protocol of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// HTTP/1.1
    Http1,
    /// HTTP/2
    Http2,
}

/// One connection.
#[derive(Debug, Clone, Serialize)]
pub struct Connection {
    /// Counted from 1 in the order of acceptance.
    pub number: u64,
    /// Its protocol.
    pub protocol: Protocol,
    /// Whether it came over TLS.
    pub tls: bool,
    /// The protocol that ALPN chose.
    pub alpn: Option<String>,
    /// The name that the client asked for (SNI).
    pub server_name: Option<String>,
    /// How it ended, once it did.
    pub ended: Option<Ended>,
}

/// How a request's body was framed, and where it was cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyFraming {
    /// There was none.
    None,
    /// `content-length`.
    Length(u64),
    /// `transfer-encoding: chunked`: the size of each chunk.
    Chunked(Vec<usize>),
    /// HTTP/2 DATA frames: the size of each as it was read.
    Frames(Vec<usize>),
}

/// One request, exactly as it came.
#[derive(Debug, Clone, Serialize)]
pub struct Received {
    /// Counted from 1 in the order in which the heads came.
    pub number: u64,
    /// The number of its connection.
    pub connection: u64,
    /// The connection's protocol.
    pub protocol: Protocol,
    /// Whether it came over TLS.
    pub tls: bool,
    /// The method.
    pub method: String,
    /// The target as it stood on the wire (HTTP/2: `:path`).
    pub target: String,
    /// Name and value of each header in the order of the wire, names in the case of the wire (HTTP/2 knows lower case only
    /// and `:authority` comes first). A byte above 127 is the character of the same number (Latin-1).
    pub headers: Vec<(String, String)>,
    /// The body, without its framing. In JSON there are two of it: `body` as text, `body_base64` as it came.
    #[serde(flatten, serialize_with = "crate::base64::beside_text")]
    pub body: Bytes,
    /// How the body was framed.
    pub framing: BodyFraming,
    /// Whether the whole body has come.
    pub body_complete: bool,
    /// The status of the answer, once its head went out.
    pub status: Option<u16>,
    /// How many bytes of the answer's body were handed to the connection.
    pub sent: u64,
    /// How it ended, once it did.
    pub ended: Option<Ended>,
}

impl Received {
    /// The value of the only header of that name, in any case. None if there is none, or more than one.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.header_values(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// Every value of the headers of that name, in any case.
    pub fn header_values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// How, and how long after the connection was accepted, something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// How.
    pub how: Ending,
    /// When, by the monotonic clock.
    pub after: Duration,
}

/// How a request or a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The answer went out whole; or the connection was closed between two requests.
    Complete,
    /// The peer closed the connection in order, in the middle of something.
    PeerClosed,
    /// The peer reset the connection or, with its code, the HTTP/2 stream.
    PeerReset(Option<u32>),
    /// The simulator closed or reset it, as the script said.
    BySim,
    /// What came was not HTTP.
    Garbled,
}

impl Ending {
    /// Whether the peer left before it had its answer.
    pub fn by_peer(self) -> bool {
        matches!(self, Self::PeerClosed | Self::PeerReset(_))
    }
}

/// The log of one simulator.
#[derive(Debug)]
pub(crate) struct Log {
    kept: Mutex<Kept>,
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    requests: VecDeque<Received>,
    connections: VecDeque<Connection>,
    requests_begun: u64,
    connections_begun: u64,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self { kept: Mutex::default(), changes: watch::Sender::new(0) }
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.kept.lock().requests.iter().cloned().collect()
    }

    pub(crate) fn connections(&self) -> Vec<Connection> {
        self.kept.lock().connections.iter().cloned().collect()
    }

    /// Forgets those requests; the others keep their numbers.
    pub(crate) fn forget_some(&self, forgotten: impl Fn(&Received) -> bool) {
        self.kept.lock().requests.retain(|received| !forgotten(received));
    }

    /// Forgets what came, and counts requests from 1 again. Connections that are open stay known.
    pub(crate) fn forget(&self) {
        let mut kept = self.kept.lock();
        kept.requests.clear();
        kept.requests_begun = 0;
        kept.connections.retain(|connection| connection.ended.is_none());
    }

    /// Waits for [`PATIENCE`] until `find` finds something in the log.
    pub(crate) async fn wait<T>(
        &self,
        what: &str,
        find: impl Fn(&[Received], &[Connection]) -> Option<T>,
    ) -> Result<T, NotSeen> {
        self.wait_for(PATIENCE, what, find).await
    }

    /// The same with a patience of its own.
    pub(crate) async fn wait_for<T>(
        &self,
        patience: Duration,
        what: &str,
        find: impl Fn(&[Received], &[Connection]) -> Option<T>,
    ) -> Result<T, NotSeen> {
        let mut changes = self.changes.subscribe();
        let looking = async {
            loop {
                changes.mark_unchanged();
                if let Some(found) = self.look(&find) {
                    return found;
                }
                if changes.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        match tokio::time::timeout(patience, looking).await {
            Ok(found) => Ok(found),
            Err(_) => {
                Err(NotSeen(format!("{what}; there were {} requests", self.kept.lock().requests.len())))
            }
        }
    }

    fn look<T>(&self, find: impl Fn(&[Received], &[Connection]) -> Option<T>) -> Option<T> {
        let mut kept = self.kept.lock();
        let Kept { requests, connections, .. } = &mut *kept;
        find(requests.make_contiguous(), connections.make_contiguous())
    }

    pub(crate) fn connected(&self, connection: Connection) -> u64 {
        let mut kept = self.kept.lock();
        kept.connections_begun += 1;
        let number = kept.connections_begun;
        kept.connections.push_back(Connection { number, ..connection });
        if kept.connections.len() > REQUESTS_MAX {
            kept.connections.pop_front();
        }
        drop(kept);
        self.changed();
        number
    }

    pub(crate) fn disconnected(&self, number: u64, ended: Ended) {
        let mut kept = self.kept.lock();
        if let Some(connection) = kept.connections.iter_mut().find(|connection| connection.number == number) {
            connection.ended.get_or_insert(ended);
        }
        drop(kept);
        self.changed();
    }

    fn begin(&self, received: Received) -> u64 {
        let mut kept = self.kept.lock();
        kept.requests_begun += 1;
        let number = kept.requests_begun;
        kept.requests.push_back(Received { number, ..received });
        if kept.requests.len() > REQUESTS_MAX {
            kept.requests.pop_front();
        }
        drop(kept);
        self.changed();
        number
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Received)) {
        let mut kept = self.kept.lock();
        if let Some(received) = kept.requests.iter_mut().rev().find(|received| received.number == number) {
            change(received);
        }
        drop(kept);
        self.changed();
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// The log's entry for one request. Dropped without an ending, the request was abandoned by the simulator.
pub(crate) struct Entry<'a> {
    log: &'a Log,
    number: u64,
    accepted: Instant,
    ended: bool,
}

impl<'a> Entry<'a> {
    pub(crate) fn begin(log: &'a Log, accepted: Instant, received: Received) -> Self {
        Self { log, number: log.begin(received), accepted, ended: false }
    }

    pub(crate) fn body(&self, body: Bytes, framing: BodyFraming, complete: bool) {
        self.log.change(self.number, |received| {
            received.body = body;
            received.framing = framing;
            received.body_complete = complete;
        });
    }

    pub(crate) fn answered(&self, status: u16) {
        self.log.change(self.number, |received| received.status = Some(status));
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.log.change(self.number, |received| received.sent += bytes as u64);
    }

    pub(crate) fn end(mut self, how: Ending) {
        self.record(how);
    }

    fn record(&mut self, how: Ending) {
        self.ended = true;
        let after = self.accepted.elapsed();
        self.log.change(self.number, |received| received.ended = Some(Ended { how, after }));
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.record(Ending::BySim);
        }
    }
}
