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

/// One request to the control API: status line's code, and the body.
async fn control(sim: &Sim, request: &str) -> (u16, serde_json::Value) {
    let request = format!("{request} HTTP/1.1\r\nHost: c\r\nConnection: close\r\n\r\n");
    let (answer, _) = exchange(&sim.control_url(), &request).await;
    let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
    (status, serde_json::from_slice(&body(&answer)).unwrap_or_default())
}

#[tokio::test]
async fn the_control_api_waits_so_that_nobody_need_ask_twice() {
    let sim = Sim::start().await.unwrap();
    sim.script(Match::any(), Script::default().gate_head("head"));
    let call = call("generateContent", "m");
    let url = sim.http1_url();
    let calling = exchange(&url, &call);
    let watching = async {
        let (status, seen) = control(&sim, "GET /requests/1").await;
        assert_eq!((status, &seen["number"], &seen["ended"]), (200, &1.into(), &serde_json::Value::Null));
        assert_eq!(control(&sim, "GET /requests/1/end?wait_ms=1").await.0, 408, "it has not ended");
        assert_eq!(control(&sim, "GET /gates/head/reached/1").await.0, 200);
        assert_eq!(control(&sim, "GET /gates/head/reached/2?wait_ms=1").await.0, 408);
        let end = control(&sim, "GET /requests/1/end");
        let open = control(&sim, "POST /gates/head/open");
        let ((status, seen), _) = tokio::join!(end, open);
        assert_eq!((status, &seen["ended"]["how"]), (200, &"complete".into()));
    };
    let ((_, read), ()) = tokio::join!(calling, watching);
    assert_eq!(read, Ok(()));
}

#[tokio::test]
async fn the_log_is_read_and_forgotten_by_what_matches() {
    let sim = Sim::start().await.unwrap();
    for method in ["generateContent", "countTokens", "generateContent"] {
        let _ = exchange(&sim.http1_url(), &call(method, "m")).await;
    }
    let numbers = |log: &serde_json::Value| -> Vec<u64> {
        log.as_array().unwrap().iter().map(|received| received["number"].as_u64().unwrap()).collect()
    };
    let (_, log) = control(&sim, "GET /requests?target=%3AgenerateContent&method=POST&at_least=2").await;
    assert_eq!(numbers(&log), [1, 3]);
    assert_eq!(numbers(&control(&sim, "GET /requests?header=x-goog-api-key:other").await.1), [0; 0]);
    assert_eq!(control(&sim, "GET /requests?at_least=4&wait_ms=1").await.0, 408);
    assert_eq!(control(&sim, "GET /requests?colour=red").await.0, 400);
    control(&sim, "DELETE /requests?target=generateContent").await;
    assert_eq!(numbers(&control(&sim, "GET /requests").await.1), [2], "the others keep their numbers");
    control(&sim, "DELETE /requests").await;
    let _ = exchange(&sim.http1_url(), &call("generateContent", "m")).await;
    assert_eq!(numbers(&control(&sim, "GET /requests").await.1), [1], "all forgotten, counted from 1 again");
}

#[tokio::test]
async fn bytes_that_are_no_text_go_in_and_out_as_base64() {
    let sim = Sim::start().await.unwrap();
    let script = r#"{"script": {"body": {"base64": "/wD+"}}}"#;
    let put = format!(
        "PUT /script HTTP/1.1\r\nHost: c\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{script}",
        script.len()
    );
    assert!(exchange(&sim.control_url(), &put).await.0.starts_with(b"HTTP/1.1 200 "));
    let mut stream = TcpStream::connect(sim.http1_url().strip_prefix("http://").unwrap()).await.unwrap();
    let head = "POST /v1/models/m:generateContent HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\n";
    stream.write_all(&[head.as_bytes(), &[0xff, 0xfe]].concat()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(body(&answer), [0xff, 0x00, 0xfe].as_slice());
    let (_, log) = control(&sim, "GET /requests").await;
    assert_eq!((&log[0]["body_base64"], &log[0]["body"]), (&"//4=".into(), &"\u{fffd}\u{fffd}".into()));
}

#[tokio::test]
async fn a_body_is_read_no_faster_than_its_gate_lets_it() {
    let sim = Sim::start().await.unwrap();
    sim.script(Match::any(), Script::default().gate_reads("read"));
    let mut stream = TcpStream::connect(sim.http1_url().strip_prefix("http://").unwrap()).await.unwrap();
    let whole = call("generateContent", "m");
    let (head, content) = whole.split_at(whole.len() - 2);
    stream.write_all(head.as_bytes()).await.unwrap();
    sim.gate("read").reached(1).await.unwrap();
    stream.write_all(content.as_bytes()).await.unwrap();
    assert!(!sim.requests()[0].body_complete);
    sim.gate("read").pass(1);
    assert!(sim.wait_for_request(1).await.unwrap().body_complete);
}
