//! Answers over HTTP/2 that are none: the provider's fault, told as such, and nothing of them passes.

use std::{io, net::SocketAddr, sync::Arc};

use forward::{Forward as _, ForwardError};
use forward_http::{Config, egress::Resolve};
use http::StatusCode;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use crate::house::{KEY, forwarder, loopback, target, unary};

/// The preface of RFC 9113 section 3.4, before a client's first frame.
const PREFACE: usize = 24;
const HEADERS: u8 = 0x1;
const SETTINGS: u8 = 0x4;
const CONTINUATION: u8 = 0x9;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;

/// `:status: 200` in HPACK's static table (RFC 7541 appendix A).
const OK: u8 = 0x88;

/// Names are resolved to this machine.
struct Here;

#[async_trait::async_trait]
impl Resolve for Here {
    async fn resolve(&self, _name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))])
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A head on the call's stream, which is the first of a client.
fn head(block: &[u8]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, 1, block)
}

/// A header that no table knows, as HPACK writes it without indexing; shorter than 127 bytes each.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    [&[0x00, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

/// More headers than are taken, in as many frames as that takes.
fn endless_head() -> Vec<u8> {
    let line = literal("x-filler", &"f".repeat(100));
    let block: Vec<u8> =
        std::iter::once(OK).chain(line.iter().copied().cycle().take(line.len() * 2000)).collect();
    let mut pieces = block.chunks(16_000);
    let mut frames = frame(HEADERS, 0, 1, pieces.next().unwrap());
    for piece in pieces {
        frames.extend(frame(CONTINUATION, 0, 1, piece));
    }
    frames.extend(frame(CONTINUATION, END_HEADERS, 1, &[]));
    frames
}

fn malformed() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("no status", head(&literal("x-a", "b"))),
        ("a status in letters", head(&literal(":status", "abc"))),
        ("a status of two digits", head(&literal(":status", "20"))),
        ("a pseudo-header after a header", head(&[&literal("x-a", "b")[..], &[OK]].concat())),
        ("two statuses", head(&[OK, OK])),
        ("an upper-case name", head(&[&[OK][..], &literal("X-A", "b")].concat())),
        ("a header of HTTP/1.1's connections", head(&[&[OK][..], &literal("connection", "close")].concat())),
        ("an index beyond the tables", head(&[0xff, 0x7f])),
        ("a head for a stream that nobody opened", frame(HEADERS, END_HEADERS, 7, &[OK])),
        ("padding longer than its frame", frame(HEADERS, END_HEADERS | PADDED, 1, &[200, OK])),
        ("a body before the head", frame(0x0, END_STREAM, 1, b"early")),
        ("a continuation of nothing", frame(CONTINUATION, END_HEADERS, 1, &[OK])),
        ("a head that is too long", endless_head()),
        ("HTTP/1.1", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec()),
    ]
}

#[tokio::test]
async fn what_is_no_head_is_no_answer() {
    let mut wrong = Vec::new();
    for (case, answer) in malformed() {
        match asked(answer).await {
            Err(ForwardError::Garbled(_)) => {}
            other => wrong.push((case, other)),
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// What a call comes to whose provider answers with these bytes as soon as it has read the request's head.
async fn asked(answer: Vec<u8>) -> Result<StatusCode, ForwardError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (acceptor, ca) = acceptor();
    let mut provider = JoinSet::new();
    provider.spawn(serve(listener, acceptor, answer));
    let config = Config { ca_file: Some(ca.path().to_owned()), ..loopback() };
    let (forwarder, known) = forwarder(config, Arc::new(Here));
    known.put(target(1, &format!("https://localhost:{}", address.port()), KEY));
    let came = forwarder.forward(unary(forward::full("{}"))).await.map(|answer| answer.status);
    drop((forwarder, known));
    provider.join_next().await.unwrap().unwrap();
    came
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, answer: Vec<u8>) {
    let (stream, _) = listener.accept().await.unwrap();
    let mut stream = acceptor.accept(stream).await.unwrap();
    let mut preface = [0; PREFACE];
    stream.read_exact(&mut preface).await.unwrap();
    loop {
        let mut start = [0; 9];
        stream.read_exact(&mut start).await.unwrap();
        let length = u32::from_be_bytes([0, start[0], start[1], start[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await.unwrap();
        if start[3] == HEADERS {
            break;
        }
    }
    // The client may close in the middle of what it does not understand.
    let _ = stream.write_all(&[frame(SETTINGS, 0, 0, &[]), answer].concat()).await;
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

/// A server's end of TLS that speaks HTTP/2 as `localhost`, and the file of the authority behind it.
fn acceptor() -> (TlsAcceptor, tempfile::NamedTempFile) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), made.cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = config.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    (TlsAcceptor::from(Arc::new(config)), file)
}
