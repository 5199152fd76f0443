//! What was received is kept exactly as it came.

use provider_sim::{BodyFraming, Ending, Match, Protocol, Script, Sim};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{body, call, exchange};

#[tokio::test]
async fn headers_keep_case_order_and_bytes_and_bodies_their_chunks() {
    let sim = Sim::start().await.unwrap();
    let request = "POST /v1/models/a%2Fb:generateContent?x=%20&x HTTP/1.1\r\nHOST: h\r\nx-Goog-api-KEY: k\r\nx-a: 1\r\nX-A:\u{e9}\r\n\
                   Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{ \r\n1\r\n}\r\n0\r\n\r\n";
    let _ = exchange(&sim.http1_url(), request).await;
    let received = sim.wait_for_request(1).await.unwrap();
    assert_eq!(received.target, "/v1/models/a%2Fb:generateContent?x=%20&x");
    let names: Vec<&str> = received.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["HOST", "x-Goog-api-KEY", "x-a", "X-A", "Transfer-Encoding", "Connection"]);
    assert_eq!(received.header_values("x-a").collect::<Vec<_>>(), ["1", "\u{c3}\u{a9}"]);
    assert_eq!((received.header("x-a"), received.header("x-goog-api-key")), (None, Some("k")));
    assert_eq!(
        (received.body.as_ref(), received.framing),
        (b"{ }".as_slice(), BodyFraming::Chunked(vec![2, 1]))
    );
    assert_eq!(
        (received.protocol, received.status, received.body_complete),
        (Protocol::Http1, Some(200), true)
    );
    assert_eq!(sim.wait_for_end(1).await.unwrap().how, Ending::Complete);
}

#[tokio::test]
async fn connections_are_reused_and_numbered() {
    let sim = Sim::start().await.unwrap();
    let mut stream = TcpStream::connect(sim.http1_url().strip_prefix("http://").unwrap()).await.unwrap();
    for number in 1..=3 {
        stream
            .write_all(call("generateContent", "m").replace("Connection: close\r\n", "").as_bytes())
            .await
            .unwrap();
        sim.wait_for_end(number).await.unwrap();
    }
    let mut buffer = vec![0; 1 << 16];
    assert!(stream.read(&mut buffer).await.unwrap() > 0);
    assert!(sim.requests().iter().all(|received| received.connection == 1));
    drop(stream);
    assert_eq!(sim.wait_for_disconnect(1).await.unwrap().how, Ending::Complete);
    let _ = exchange(&sim.http1_url(), &call("generateContent", "m")).await;
    assert_eq!(sim.wait_for_request(4).await.unwrap().connection, 2);
}

#[tokio::test]
async fn a_peer_that_leaves_before_the_head_of_the_answer_is_seen() {
    let sim = Sim::start().await.unwrap();
    sim.script(Match::any(), Script::default().gate_head("never"));
    let mut stream = TcpStream::connect(sim.http1_url().strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(call("generateContent", "m").as_bytes()).await.unwrap();
    sim.gate("never").reached(1).await.unwrap();
    drop(stream);
    assert_eq!(sim.wait_for_end(1).await.unwrap().how, Ending::PeerClosed);
    assert_eq!(sim.wait_for_disconnect(1).await.unwrap().how, Ending::PeerClosed);
}

#[tokio::test]
async fn the_control_api_does_what_the_handle_does() {
    let sim = Sim::start().await.unwrap();
    let script = r#"{"match": {"target": ":generateContent"}, "script": {"status": 503, "body": {"text": "no"}}, "once": true}"#;
    let put = format!(
        "PUT /script HTTP/1.1\r\nHost: c\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{script}",
        script.len()
    );
    let (answer, _) = exchange(&sim.control_url(), &put).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
    let (answer, _) = exchange(&sim.http1_url(), &call("generateContent", "m")).await;
    assert!(answer.starts_with(b"HTTP/1.1 503 ") && answer.ends_with(b"\r\n\r\nno"));
    let (answer, _) =
        exchange(&sim.control_url(), "GET /requests HTTP/1.1\r\nHost: c\r\nConnection: close\r\n\r\n").await;
    let log: serde_json::Value = serde_json::from_slice(&body(&answer)).unwrap();
    assert_eq!((log[0]["status"].as_u64(), log[0]["body"].as_str()), (Some(503), Some("{}")));
    let (answer, _) = exchange(&sim.control_url(), &put.replace("status", "sttaus")).await;
    assert!(answer.starts_with(b"HTTP/1.1 400 "));
}
