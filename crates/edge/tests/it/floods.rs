//! HTTP/2 as an attacker writes it (B26 to B29), in raw frames over a socket: what is malformed ends its stream or its
//! connection, what is too much ends its connection, and others are answered as before.

use std::{net::SocketAddr, time::Duration};

use edge::Config;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

use crate::{
    client::{BOUND, Client, UNARY, get},
    rig::{Reply, Rig},
};

/// RFC 9113, section 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Types and flags of frames (RFC 9113, section 6), and codes of errors (section 7).
const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const PRIORITY: u8 = 0x2;
const RST_STREAM: u8 = 0x3;
const SETTINGS: u8 = 0x4;
const PING: u8 = 0x6;
const GOAWAY: u8 = 0x7;
const WINDOW_UPDATE: u8 = 0x8;
const CONTINUATION: u8 = 0x9;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PROTOCOL_ERROR: u32 = 1;
const FLOW_CONTROL_ERROR: u32 = 3;
const STREAM_CLOSED: u32 = 5;
const ENHANCE_YOUR_CALM: u32 = 11;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header as HPACK writes it without tables (RFC 7541, section 6.2.2); names and values shorter than 127 bytes.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    [&[0x00, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

/// The head of a call: `:method: POST` and `:scheme: http` of the static table, path and host, and then `more`.
fn call(more: &[u8]) -> Vec<u8> {
    let fields = [literal(":path", UNARY), literal(":authority", "localhost")].concat();
    [&[0x83, 0x86], &fields[..], more].concat()
}

fn head(stream: u32, flags: u8, block: &[u8]) -> Vec<u8> {
    frame(HEADERS, flags | END_HEADERS, stream, block)
}

/// What came of a stream or of the connection.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Came {
    /// A head for this stream.
    Head(u32),
    /// This stream was reset, with this code.
    Reset(u32, u32),
    /// The connection is given up, with this code.
    GoAway(u32),
    /// It was closed.
    Closed,
}

struct Peer {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
}

impl Peer {
    /// Connects, and says that answers of `window` bytes a stream are welcome.
    async fn connect(address: SocketAddr, window: u32) -> Self {
        let (reader, writer) = TcpStream::connect(address).await.unwrap().into_split();
        let mut peer = Self { reader, writer };
        let settings = [&[0, 4], &window.to_be_bytes()[..]].concat();
        assert!(peer.send(&[PREFACE, &frame(SETTINGS, 0, 0, &settings)].concat()).await);
        peer
    }

    /// Sends; false where the other side has gone.
    async fn send(&mut self, bytes: &[u8]) -> bool {
        timeout(BOUND, self.writer.write_all(bytes)).await.unwrap().is_ok()
    }

    /// The next thing that matters.
    async fn next(&mut self) -> Came {
        next(&mut self.reader).await
    }

    /// Sends `piece` again and again, at most `times`, and reads beside it, until the connection is given up; how.
    async fn flood(&mut self, times: usize, piece: impl Fn(usize) -> Vec<u8>) -> Came {
        let Self { reader, writer } = self;
        let sending = async {
            for number in 0..times {
                if writer.write_all(&piece(number)).await.is_err() {
                    break;
                }
            }
            std::future::pending::<()>().await;
        };
        let reading = async {
            loop {
                match next(reader).await {
                    Came::Head(_) | Came::Reset(..) => {}
                    end => return end,
                }
            }
        };
        let ended = async {
            tokio::select! {
                end = reading => end,
                () = sending => unreachable!("it waits for the end"),
            }
        };
        timeout(BOUND, ended).await.expect("the connection is given up")
    }
}

async fn next(reader: &mut OwnedReadHalf) -> Came {
    loop {
        let mut start = [0; 9];
        if timeout(BOUND, reader.read_exact(&mut start)).await.unwrap().is_err() {
            return Came::Closed;
        }
        let length = u32::from_be_bytes([0, start[0], start[1], start[2]]);
        let stream = u32::from_be_bytes([start[5], start[6], start[7], start[8]]);
        let mut payload = vec![0; length as usize];
        if timeout(BOUND, reader.read_exact(&mut payload)).await.unwrap().is_err() {
            return Came::Closed;
        }
        let number = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
        match start[3] {
            HEADERS => return Came::Head(stream),
            RST_STREAM => return Came::Reset(stream, number(0)),
            GOAWAY => return Came::GoAway(number(4)),
            _ => {}
        }
    }
}

/// Another client is answered, and its calls arrive.
async fn others_go_on(rig: &Rig) {
    let mut client = Client::connect(rig.address).await;
    assert_eq!(client.ask(&get("/livez")).await.status, 200);
    let before = rig.seen().len();
    assert_eq!(client.ask(&crate::client::post(UNARY, "", b"{}")).await.status, 200);
    assert_eq!(rig.seen().len(), before + 1);
}

#[tokio::test]
async fn b26_streams_that_are_reset_as_fast_as_they_are_opened() {
    let rig = Rig::new().await;
    let mut peer = Peer::connect(rig.address, 65_535).await;
    let block = call(&[]);
    let came = peer.flood(100_000, |number| {
        let stream = 2 * u32::try_from(number).unwrap() + 1;
        let cancel = frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
        [head(stream, 0, &block), cancel].concat()
    });
    assert_eq!(came.await, Came::GoAway(ENHANCE_YOUR_CALM));
    others_go_on(&rig).await;
}

/// 470 references of one byte each to one header make a head of 64 KB; 200 streams of them, and no window to answer into.
#[tokio::test]
async fn b27_heads_that_grow_when_they_are_unpacked() {
    let rig = Rig::new().await;
    for _ in 0..3 {
        let mut peer = Peer::connect(rig.address, 0).await;
        // With incremental indexing (RFC 7541, section 6.2.1): the entry becomes number 62, after the static table.
        let large = "b".repeat(100);
        let added = [&[0x40, 6], &b"x-bomb"[..], &[100], large.as_bytes()].concat();
        for number in 0..200_u32 {
            let more = if number == 0 { [&added[..], &[0xbe; 470]].concat() } else { vec![0xbe; 470] };
            if !peer.send(&head(2 * number + 1, END_STREAM, &call(&more))).await {
                break;
            }
        }
        let mut ended = 0;
        while ended < 100 {
            match peer.next().await {
                Came::Head(_) | Came::Reset(..) => ended += 1,
                Came::GoAway(_) | Came::Closed => break,
            }
        }
    }
    assert!(rig.seen().is_empty(), "a head over the limit is no request");
    others_go_on(&rig).await;
}

#[tokio::test]
async fn b28_a_head_that_never_ends() {
    let rig = Rig::new().await;
    let mut peer = Peer::connect(rig.address, 65_535).await;
    let filler = literal("x-filler", &"f".repeat(100)).repeat(10);
    let came = peer.flood(100_000, |number| match number {
        0 => frame(HEADERS, 0, 1, &call(&[])),
        _ => frame(CONTINUATION, 0, 1, &filler),
    });
    let came = came.await;
    assert!(matches!(came, Came::GoAway(_)), "{came:?}");
    assert!(rig.seen().is_empty());
    others_go_on(&rig).await;
}

#[tokio::test]
async fn b29_data_frames_that_bring_nothing() {
    let rig = Rig::new().await;
    let mut peer = Peer::connect(rig.address, 65_535).await;
    let came = peer.flood(1_000_000, |number| match number {
        0 => head(1, 0, &call(&[])),
        _ => frame(DATA, 0, 1, &[]).repeat(100),
    });
    assert_eq!(came.await, Came::GoAway(ENHANCE_YOUR_CALM));
    assert!(rig.seen().iter().all(|seen| seen.body.is_err()));
    others_go_on(&rig).await;
}

/// PING and SETTINGS ask for an answer each. Who does not read the answers is not read from either, and is closed by
/// the limit on writing.
#[tokio::test]
async fn b29_questions_whose_answers_nobody_reads() {
    let mut config = Config::default();
    config.connections.write_stall = Duration::from_millis(200);
    let rig = Rig::with(config).await;
    for piece in [frame(PING, 0, 0, &[7; 8]), frame(SETTINGS, 0, 0, &[])] {
        let mut peer = Peer::connect(rig.address, 65_535).await;
        let flood = piece.repeat(4096);
        let flooding = async { while peer.send(&flood).await {} };
        timeout(BOUND, flooding).await.expect("the connection is closed");
    }
    others_go_on(&rig).await;
}

/// PRIORITY and WINDOW_UPDATE ask for nothing and leave nothing: they pass, and a call after them is served.
#[tokio::test]
async fn b29_frames_that_ask_for_nothing() {
    let rig = Rig::new().await;
    let mut peer = Peer::connect(rig.address, 65_535).await;
    let pieces = [frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1]), frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])];
    for piece in pieces {
        assert!(peer.send(&piece.repeat(20_000)).await);
    }
    assert!(peer.send(&head(1, END_STREAM, &call(&[]))).await);
    assert_eq!(peer.next().await, Came::Head(1));
    others_go_on(&rig).await;
}

#[tokio::test]
async fn b29_what_the_rfc_forbids() {
    let open = || head(1, 0, &call(&[]));
    let closed = || head(1, END_STREAM, &call(&[]));
    let stream = |more: &[u8]| head(1, END_STREAM, &call(more));
    let full = 0x7fff_ffff_u32.to_be_bytes();
    // RFC 9113, section 8.1.1: an error of the stream; h2 ends the connection where HPACK's reader finds it.
    let malformed = [Came::Reset(1, PROTOCOL_ERROR), Came::GoAway(PROTOCOL_ERROR)];
    let cases: [(&str, Vec<u8>, &[Came]); 10] = [
        ("a window beyond 2^31-1", frame(WINDOW_UPDATE, 0, 0, &full), &[Came::GoAway(FLOW_CONTROL_ERROR)]),
        (
            "a stream's window beyond 2^31-1",
            [open(), frame(WINDOW_UPDATE, 0, 1, &full)].concat(),
            &[Came::Reset(1, FLOW_CONTROL_ERROR)],
        ),
        ("a window of nothing", frame(WINDOW_UPDATE, 0, 0, &[0; 4]), &[Came::GoAway(PROTOCOL_ERROR)]),
        ("an even stream", head(2, END_STREAM, &call(&[])), &[Came::GoAway(PROTOCOL_ERROR)]),
        (
            "a stream number below the last",
            [head(3, 0, &call(&[])), head(1, 0, &call(&[]))].concat(),
            &[Came::GoAway(PROTOCOL_ERROR), Came::GoAway(STREAM_CLOSED)],
        ),
        (
            "data behind the end",
            [closed(), frame(DATA, 0, 1, b"{}")].concat(),
            &[Came::Reset(1, STREAM_CLOSED), Came::GoAway(STREAM_CLOSED), Came::GoAway(PROTOCOL_ERROR)],
        ),
        ("an upper-case name", stream(&literal("X-A", "b")), &malformed),
        ("a connection field", stream(&literal("connection", "close")), &malformed),
        (
            "another length than was said",
            [head(1, 0, &call(&literal("content-length", "5"))), frame(DATA, END_STREAM, 1, b"{}")].concat(),
            &malformed,
        ),
        (
            "a pseudo-header behind a header",
            stream(&[literal("a", "b"), literal(":path", "/")].concat()),
            &malformed,
        ),
    ];
    for (case, frames, expected) in cases {
        let rig = Rig::new().await;
        rig.replies(Reply::Hangs);
        let mut peer = Peer::connect(rig.address, 65_535).await;
        assert!(peer.send(&frames).await, "{case}");
        let came = peer.next().await;
        assert!(expected.contains(&came), "{case}: {came:?}");
        let mut client = Client::connect(rig.address).await;
        assert_eq!(client.ask(&get("/livez")).await.status, 200, "{case}");
    }
}
