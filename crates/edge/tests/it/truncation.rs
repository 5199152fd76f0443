//! A stream that broke never ends as if it were complete: every cut, every way to end, over real sockets.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use forward::{BodyError, Limit};
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinSet};

use crate::{
    client::{ARRAY, Client, SSE, UNARY, as_array, post, recording},
    rig::{End, Reply, Rig},
};

const RECORDED: &str = "stream_usage_cumulative_2.5_flash.sse";

/// A prefix of a recorded stream, and what may be said of it without the code under test.
struct Cut {
    sent: Bytes,
    /// Behind an event or an element, or before everything.
    at_boundary: bool,
    /// A finish reason came in an element that is whole.
    marked: bool,
}

impl Cut {
    fn of_events(whole: &Bytes, at: usize) -> Self {
        let sent = whole.slice(..at);
        let text = String::from_utf8_lossy(&sent).into_owned();
        let events: Vec<&str> =
            text.split_inclusive("\r\n\r\n").filter(|event| event.ends_with("\r\n\r\n")).collect();
        let marked = events.iter().any(|event| finished(&parsed(event.trim_start_matches("data: "))));
        Self { at_boundary: text.is_empty() || text.ends_with("\r\n\r\n"), marked, sent }
    }

    fn of_array(whole: &Bytes, at: usize) -> Self {
        let sent = whole.slice(..at);
        let text = String::from_utf8_lossy(&sent).into_owned();
        let elements = serde_json::from_str::<Vec<Value>>(&format!("{text}]")).unwrap_or_default();
        let ended = serde_json::from_str::<Vec<Value>>(&text).is_ok();
        Self { at_boundary: text.is_empty() || !elements.is_empty(), marked: ended, sent }
    }

    /// Holds what the client got against the rules.
    fn check(&self, got: &[u8], complete: bool, end: &End, is_array: bool) {
        let at = self.sent.len();
        if complete {
            assert!(self.marked && *end == End::Clean, "cut at {at}, {end:?}: taken for complete");
            assert_eq!(got, self.sent);
            return;
        }
        let rest = got.strip_prefix(&*self.sent).expect("everything that came is passed on");
        if !self.at_boundary {
            assert!(
                rest.is_empty(),
                "cut at {at}: said inside an event: {:?}",
                String::from_utf8_lossy(rest)
            );
            return;
        }
        let said = String::from_utf8(rest.to_vec()).unwrap();
        let json = match (is_array, self.sent.is_empty()) {
            (false, _) => said.strip_prefix("data: ").and_then(|said| said.strip_suffix("\r\n\r\n")),
            (true, true) => said.strip_prefix('[').and_then(|said| said.strip_suffix(']')),
            (true, false) => said.strip_prefix(",\r\n").and_then(|said| said.strip_suffix(']')),
        };
        let json = json.unwrap_or_else(|| panic!("cut at {at}, {end:?}: no error frame but {said:?}"));
        assert!(json.starts_with(r#"{"error":{"code":"#), "{json}");
        let code = if matches!(end, End::With(BodyError::TimedOut(_))) { 504 } else { 502 };
        assert_eq!(parsed(json)["error"]["code"], code);
        assert_eq!(said.contains("`idle`"), code == 504, "the limit is named: {said}");
    }
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn finished(element: &Value) -> bool {
    element["candidates"].as_array().is_some_and(|all| all.iter().any(|one| one["finishReason"].is_string()))
}

fn ends() -> [End; 3] {
    [End::Clean, End::With(BodyError::Broken("test")), End::With(BodyError::TimedOut(Limit::Idle))]
}

/// An array's last bracket is its end whatever the transport does then; of events only a clean end is one.
fn is_whole(cut: &Cut, whole: &Bytes, end: &End) -> bool {
    cut.sent.len() == whole.len() && *end == End::Clean
}

async fn http1(is_array: bool, whole: Bytes, end: End) {
    let rig = Rig::new().await;
    let path = if is_array { ARRAY } else { SSE };
    for at in 0..=whole.len() {
        let cut = if is_array { Cut::of_array(&whole, at) } else { Cut::of_events(&whole, at) };
        rig.replies(Reply::frames(content_type(is_array), [cut.sent.clone()], end.clone()));
        let mut client = Client::connect(rig.address).await;
        let reply = client.ask(&post(path, "", b"{}")).await;
        assert_eq!(reply.status, 200);
        if reply.complete || !(is_array && cut.marked) {
            cut.check(&reply.body, reply.complete, &end, is_array);
        }
        assert_eq!(reply.complete, is_whole(&cut, &whole, &end) || (reply.complete && cut.marked));
        assert!(reply.complete || client.ended, "a broken answer ends its connection");
    }
}

fn content_type(is_array: bool) -> &'static str {
    if is_array { "application/json" } else { "text/event-stream" }
}

#[tokio::test]
async fn events_over_http1() {
    for end in ends() {
        http1(false, recording(RECORDED).into(), end).await;
    }
}

#[tokio::test]
async fn an_array_over_http1() {
    for end in ends() {
        http1(true, as_array(&recording(RECORDED)).into(), end).await;
    }
}

/// A call over HTTP/2: the bytes, and whether the stream ended instead of being reset.
async fn over_http2(client: &h2::client::SendRequest<Bytes>, path: &str) -> (Vec<u8>, bool) {
    let request = http::Request::post(format!("http://localhost{path}")).body(()).unwrap();
    let mut client = client.clone().ready().await.unwrap();
    let (response, _) = client.send_request(request, true).unwrap();
    let mut body = response.await.unwrap().into_body();
    let mut bytes = Vec::new();
    while let Some(data) = body.data().await {
        let Ok(data) = data else { return (bytes, false) };
        let _ = body.flow_control().release_capacity(data.len());
        bytes.extend_from_slice(&data);
    }
    (bytes, true)
}

pub(crate) async fn connect_http2(
    address: SocketAddr,
    tasks: &mut JoinSet<()>,
) -> h2::client::SendRequest<Bytes> {
    let socket = TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(socket).await.unwrap();
    tasks.spawn(async move {
        let _ = connection.await;
    });
    client
}

async fn http2(is_array: bool, whole: Bytes, end: End) {
    let rig = Arc::new(Rig::new().await);
    let path = if is_array { ARRAY } else { SSE };
    let (asked, how) = (whole.clone(), end.clone());
    rig.plays(move |head| {
        let at: usize = head.query.as_deref().unwrap().rsplit('=').next().unwrap().parse().unwrap();
        Reply::frames(content_type(is_array), [asked.slice(..at)], how.clone())
    });
    let mut connections = JoinSet::new();
    let cuts: Vec<usize> = (0..=whole.len()).collect();
    for some in cuts.chunks(50) {
        let client = connect_http2(rig.address, &mut connections).await;
        let mut calls = JoinSet::new();
        for at in some.iter().copied() {
            let (client, whole, end) = (client.clone(), whole.clone(), end.clone());
            let joint = if is_array { '?' } else { '&' };
            let path = format!("{path}{joint}at={at}");
            calls.spawn(async move {
                let cut = if is_array { Cut::of_array(&whole, at) } else { Cut::of_events(&whole, at) };
                let (bytes, complete) = over_http2(&client, &path).await;
                if complete || !(is_array && cut.marked) {
                    cut.check(&bytes, complete, &end, is_array);
                }
                assert_eq!(complete, is_whole(&cut, &whole, &end) || (complete && cut.marked));
            });
        }
        while let Some(done) = calls.join_next().await {
            done.unwrap();
        }
    }
}

#[tokio::test]
async fn events_over_http2() {
    for end in ends() {
        http2(false, recording(RECORDED).into(), end).await;
    }
}

#[tokio::test]
async fn an_array_over_http2() {
    for end in ends() {
        http2(true, as_array(&recording(RECORDED)).into(), end).await;
    }
}

#[tokio::test]
async fn a_unary_answer_that_breaks_is_aborted_without_a_word() {
    let whole = Bytes::from(recording("unary_safety_empty_content_1.5_flash.json"));
    let rig = Rig::new().await;
    for limit in [BodyError::Broken("test"), BodyError::TimedOut(Limit::Total)] {
        for at in 0..whole.len() {
            let end = End::With(limit.clone());
            rig.replies(Reply::frames("application/json", [whole.slice(..at)], end));
            let mut client = Client::connect(rig.address).await;
            let reply = client.ask(&post(UNARY, "", b"{}")).await;
            assert!(!reply.complete && client.ended, "{at}");
            assert_eq!(reply.body, whole.slice(..at));
        }
    }
}

#[tokio::test]
async fn a_length_on_a_stream_does_not_make_it_look_whole() {
    let rig = Rig::new().await;
    let first = Bytes::from_static(b"data: {\"candidates\":[]}\r\n\r\n");
    let headers = vec![("content-type", "text/event-stream".to_owned()), ("content-length", "60".to_owned())];
    let end = End::With(BodyError::Broken("test"));
    rig.replies(Reply::Answer { status: 200, headers, frames: vec![first], end });
    let mut client = Client::connect(rig.address).await;
    let reply = client.ask(&post(SSE, "", b"{}")).await;
    assert!(!reply.complete && reply.text().contains(r#"data: {"error":{"code":502"#), "{reply:?}");
}

#[tokio::test]
async fn over_http10_a_broken_answer_ends_by_a_reset() {
    let rig = Rig::new().await;
    let first = Bytes::from_static(b"data: {\"candidates\":[]}\r\n\r\n");
    let last = Bytes::from_static(b"data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\r\n\r\n");
    for (frames, whole) in [(vec![first.clone()], false), (vec![first, last], true)] {
        rig.replies(Reply::frames("text/event-stream", frames, End::Clean));
        let mut socket = TcpStream::connect(rig.address).await.unwrap();
        let request = format!("POST {SSE} HTTP/1.0\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{{}}");
        tokio::io::AsyncWriteExt::write_all(&mut socket, request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let read = tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut bytes).await;
        assert_eq!(read.is_ok(), whole, "{read:?} {}", String::from_utf8_lossy(&bytes));
    }
}

#[tokio::test]
async fn an_error_of_the_providers_passes_once_and_nothing_is_added() {
    let rig = Rig::new().await;
    let whole = Bytes::from(recording("firebase_stream_error_mid_stream.txt"));
    rig.replies(Reply::frames("text/event-stream", [whole.clone()], End::Clean));
    let mut client = Client::connect(rig.address).await;
    let reply = client.ask(&post(SSE, "", b"{}")).await;
    assert!(!reply.complete, "an error is not the end of a complete answer");
    assert_eq!(reply.body, whole);
}
