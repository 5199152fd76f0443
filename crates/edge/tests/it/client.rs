//! A client that sends bytes as they are, and reads answers without leniency.

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// Long enough for any machine: only a test that fails waits for it.
pub(crate) const BOUND: Duration = Duration::from_mins(1);

/// The unary call of the tests.
pub(crate) const UNARY: &str = "/gateway/gemini/v1beta/models/chat:generateContent";
/// The call for server-sent events.
pub(crate) const SSE: &str = "/gateway/gemini/v1beta/models/chat:streamGenerateContent?alt=sse";
/// The call for a JSON array.
pub(crate) const ARRAY: &str = "/gateway/gemini/v1beta/models/chat:streamGenerateContent";

/// A request with the fields that it needs.
pub(crate) fn post(path: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{fields}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    /// As it stands in the status line, e.g. `HTTP/1.1`.
    pub(crate) version: String,
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether HTTP says that the body is whole: its length was reached, or its last chunk came.
    pub(crate) complete: bool,
}

impl Reply {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// That this is the gateway's own refusal in Gemini's form; its message.
    pub(crate) fn gemini_refusal(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert!(self.complete);
        assert_eq!(self.field("keyward-error-source"), Some("gateway"));
        assert!(self.field("keyward-request-id").is_some());
        assert_eq!(self.field("content-type"), Some("application/json; charset=UTF-8"));
        let body = self.json();
        let error = if body.is_array() { &body[0]["error"] } else { &body["error"] };
        assert_eq!(error["code"], status, "{body}");
        assert!(error["status"].is_string(), "{body}");
        error["message"].as_str().unwrap().to_owned()
    }

    /// That this is the gateway's own refusal in MLflow's form; its message.
    pub(crate) fn management_refusal(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.field("keyward-error-source"), Some("gateway"));
        assert!(self.field("keyward-request-id").is_some());
        let body = self.json();
        assert!(body["error_code"].is_string(), "{body}");
        body["message"].as_str().unwrap().to_owned()
    }
}

/// A connection and what was read of it beyond the last answer.
pub(crate) struct Client<IO> {
    io: IO,
    read: Vec<u8>,
    /// The server closed or reset it.
    pub(crate) ended: bool,
}

impl Client<TcpStream> {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Client<IO> {
    pub(crate) fn over(io: IO) -> Self {
        Self { io, read: Vec::new(), ended: false }
    }

    /// Sends; a server that closes while it is sent to has its reasons, which its answer tells.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = timeout(BOUND, self.io.write_all(bytes)).await.unwrap();
        let _ = self.io.flush().await;
    }

    pub(crate) async fn ask(&mut self, bytes: &[u8]) -> Reply {
        self.send(bytes).await;
        self.reply().await.expect("an answer")
    }

    /// The next answer, whole or as far as it came; none if the connection ended before one began.
    pub(crate) async fn reply(&mut self) -> Option<Reply> {
        loop {
            match parsed(&self.read, self.ended) {
                Some((reply, used)) => {
                    self.read.drain(..used);
                    return Some(reply);
                }
                None if self.ended => {
                    assert!(self.read.is_empty(), "half a head: {:?}", String::from_utf8_lossy(&self.read));
                    return None;
                }
                None => self.more().await,
            }
        }
    }

    /// Waits until bytes of an answer's body contain `text`.
    pub(crate) async fn until(&mut self, text: &str) {
        while memchr::memmem::find(&self.read, text.as_bytes()).is_none() {
            assert!(!self.ended, "the connection ended before {text:?}");
            self.more().await;
        }
    }

    /// Waits for the end of the connection; what came before it.
    pub(crate) async fn end(&mut self) -> Vec<u8> {
        while !self.ended {
            self.more().await;
        }
        std::mem::take(&mut self.read)
    }

    async fn more(&mut self) {
        match timeout(BOUND, self.io.read_buf(&mut self.read)).await.expect("something happens in time") {
            Ok(0) | Err(_) => self.ended = true,
            Ok(_) => {}
        }
    }
}

/// An answer at the start of `bytes`, and how many bytes it took.
fn parsed(bytes: &[u8], ended: bool) -> Option<(Reply, usize)> {
    let head_end = memchr::memmem::find(bytes, b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..head_end]).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let (version, status) = (first.next().unwrap().to_owned(), first.next().unwrap().parse().unwrap());
    let fields: Vec<(String, String)> = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    let rest = &bytes[head_end..];
    let (body, used, complete) = if field("transfer-encoding") == Some("chunked") {
        chunked(rest)
    } else if let Some(length) = field("content-length") {
        let length: usize = length.parse().unwrap();
        (rest[..length.min(rest.len())].to_vec(), length.min(rest.len()), rest.len() >= length)
    } else {
        (rest.to_vec(), rest.len(), ended)
    };
    (complete || ended).then_some((Reply { version, status, fields, body, complete }, head_end + used))
}

/// As much of a chunked body as is there: its data, its length on the wire, whether its last chunk came.
fn chunked(bytes: &[u8]) -> (Vec<u8>, usize, bool) {
    let (mut data, mut at) = (Vec::new(), 0);
    while let Some(line) = memchr::memmem::find(&bytes[at..], b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[at..at + line]).unwrap(), 16).unwrap();
        let start = at + line + 2;
        let here = size.min(bytes.len() - start);
        data.extend_from_slice(&bytes[start..start + here]);
        if bytes.len() < start + size + 2 {
            return (data, bytes.len(), false);
        }
        at = start + size + 2;
        if size == 0 {
            return (data, at, true);
        }
    }
    (data, bytes.len(), false)
}

/// A recorded answer.
pub(crate) fn recording(name: &str) -> Vec<u8> {
    recording_of("gemini", name)
}

/// A recorded answer of a provider.
pub(crate) fn recording_of(provider: &str, name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../provider-sim/recordings");
    std::fs::read(format!("{folder}/{provider}/{name}")).unwrap()
}

/// The same stream as Gemini sends it without `alt=sse`.
pub(crate) fn as_array(sse: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(sse).unwrap();
    let elements: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    format!("[{}]", elements.join(",\r\n")).into_bytes()
}
