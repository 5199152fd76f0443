//! Whatever a script says comes out on the wire so.

use std::io::{ErrorKind, Read as _};

use provider_sim::{Act, Cut, Framing, Match, Script, Sim, Split, recording};

use crate::{body, call, chunks, exchange};

const STREAM: &str = "streamGenerateContent?alt=sse";

fn recorded() -> &'static [u8] {
    recording("stream_usage_cumulative_2.5_flash").unwrap()
}

async fn answer_to(script: Script) -> (Vec<u8>, Result<(), ErrorKind>) {
    let sim = Sim::start().await.unwrap();
    sim.script(Match::any(), script);
    exchange(&sim.http1_url(), &call(STREAM, "m")).await
}

#[tokio::test]
async fn a_body_is_split_where_the_script_says() {
    for (split, count) in [
        (Split::Whole, 1),
        (Split::EveryByte, recorded().len()),
        (Split::Every(100), recorded().len().div_ceil(100)),
        (Split::At(vec![1, 5, 900]), 4),
    ] {
        let (answer, _) = answer_to(Script::default().split(split)).await;
        let (chunks, ended) = chunks(&body(&answer));
        assert!(ended);
        assert_eq!((chunks.len(), chunks.concat().as_slice()), (count, recorded()));
    }
}

#[tokio::test]
async fn a_cut_at_every_offset_sends_exactly_so_much() {
    let sim = Sim::start().await.unwrap();
    for at in (0..recorded().len()).step_by(37) {
        sim.script_once(Match::any(), Script::default().split(Split::Whole).cut(at, Cut::Close));
        let (answer, read) = exchange(&sim.http1_url(), &call(STREAM, "m")).await;
        let (chunks, ended) = chunks(&body(&answer));
        assert_eq!(
            (chunks.concat().as_slice(), ended, read),
            (&recorded()[..at], false, Ok(())),
            "cut at {at}"
        );
    }
}

#[tokio::test]
async fn a_cut_can_be_a_reset_or_look_complete() {
    let (_, read) = answer_to(Script::default().cut(100, Cut::Reset)).await;
    assert_eq!(read, Err(ErrorKind::ConnectionReset));
    let (answer, read) = answer_to(Script::default().cut(100, Cut::Clean)).await;
    let (chunks, ended) = chunks(&body(&answer));
    assert_eq!((chunks.concat().as_slice(), ended, read), (&recorded()[..100], true, Ok(())));
}

#[tokio::test]
async fn silence_lasts_until_the_peer_leaves() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let sim = Sim::start().await.unwrap();
    sim.script(Match::any(), Script::default().cut(10, Cut::Silence));
    let address = sim.http1_url();
    let mut stream = tokio::net::TcpStream::connect(address.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(call(STREAM, "m").as_bytes()).await.unwrap();
    sim.wait_until("ten bytes sent", |requests, _| {
        requests.first().filter(|received| received.sent == 10).map(drop)
    })
    .await
    .unwrap();
    let mut head = [0; 15];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    assert!(sim.requests()[0].ended.is_none());
    drop(stream);
    assert!(sim.wait_for_end(1).await.unwrap().how.by_peer());
}

#[tokio::test]
async fn a_length_can_be_right_absent_or_wrong() {
    let length = recorded().len();
    for (framing, header) in [
        (Framing::Length, Some(length)),
        (Framing::Wrong(5), Some(length + 5)),
        (Framing::Wrong(-5), Some(length - 5)),
        (Framing::Close, None),
    ] {
        let (answer, _) = answer_to(Script::default().framing(framing)).await;
        let text = String::from_utf8_lossy(&answer);
        let announced = text.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        assert_eq!(announced.map(|length| length.parse().unwrap()), header, "{framing:?}");
        assert_eq!(body(&answer), recorded(), "{framing:?}");
    }
}

#[tokio::test]
async fn gzip_can_be_read_event_by_event() {
    let (answer, _) = answer_to(Script::default().gzip()).await;
    let (chunks, ended) = chunks(&body(&answer));
    assert!(ended && chunks.len() > 2);
    let mut decoded = Vec::new();
    flate2::read::GzDecoder::new(chunks.concat().as_slice()).read_to_end(&mut decoded).unwrap();
    assert_eq!(decoded, recorded());
    let mut first = vec![0; 20];
    flate2::read::GzDecoder::new(chunks[0].as_slice()).read_exact(&mut first).unwrap();
    assert_eq!(first, recorded()[..20]);
}

#[tokio::test]
async fn what_is_no_answer_is_none() {
    for act in [Act::CloseBeforeBody, Act::CloseAfterBody, Act::ResetAfterBody] {
        let (answer, _) = answer_to(Script::act(act.clone())).await;
        assert_eq!(answer, b"", "{act:?}");
    }
    let (answer, _) = answer_to(Script::act(Act::Raw("HTTP/1.1 200\r\nnonsense".to_owned()))).await;
    assert_eq!(answer, b"HTTP/1.1 200\r\nnonsense");
}

#[tokio::test]
async fn heads_can_be_odd() {
    let script = Script {
        informational: 3,
        reason: Some("Nope".to_owned()),
        extra: "X".to_owned(),
        ..Script::status(503)
    };
    let (answer, _) = answer_to(script.header("Retry-After", "7").header("content-type", "text/html")).await;
    let text = String::from_utf8(answer).unwrap();
    assert_eq!(text.matches("HTTP/1.1 103 Early Hints\r\n").count(), 3);
    assert!(text.contains("\r\n\r\nHTTP/1.1 503 Nope\r\n"));
    assert!(text.contains("\r\nRetry-After: 7\r\n") && text.contains("\r\ncontent-type: text/html\r\n"));
    assert!(!text.contains("application/json") && text.ends_with("}\nX"));
}

#[tokio::test]
async fn a_models_name_is_a_script() {
    let sim = Sim::start().await.unwrap();
    let (answer, _) = exchange(&sim.http1_url(), &call("generateContent", "sim-429")).await;
    assert!(answer.starts_with(b"HTTP/1.1 429 Too Many Requests\r\n"));
    let (_, read) = exchange(&sim.http1_url(), &call(STREAM, "sim-cut50-rst")).await;
    assert_eq!(read, Err(ErrorKind::ConnectionReset));
    let (answer, _) = exchange(&sim.http1_url(), &call(STREAM, "sim-gen30x300")).await;
    let (chunks, ended) = chunks(&body(&answer));
    assert!(ended && chunks.len() == 30 && chunks.iter().all(|chunk| chunk.len() == 300));
}

#[tokio::test]
async fn gates_hold_an_answer_until_the_test_says_go() {
    let sim = Sim::start().await.unwrap();
    sim.script(Match::any(), Script::default().gate_head("head").pause(100, "middle"));
    let url = sim.http1_url();
    let request = call(STREAM, "m");
    let driving = async {
        sim.gate("head").reached(1).await.unwrap();
        assert_eq!(sim.requests()[0].status, None);
        sim.gate("head").pass(1);
        sim.gate("middle").reached(1).await.unwrap();
        assert_eq!((sim.requests()[0].status, sim.requests()[0].sent), (Some(200), 100));
        sim.gate("middle").open();
    };
    let ((answer, _), ()) = tokio::join!(exchange(&url, &request), driving);
    assert_eq!(chunks(&body(&answer)).0.concat(), recorded());
}
