//! The project's table of bad inputs (rows B01 to B107 on framing, hosts, paths, sizes, bodies and streams), over raw
//! sockets: exact status, shape in the dialect, and whether the connection ends.

use edge::Config;

use crate::{
    client::{Client, UNARY, get, post},
    rig::Rig,
};

/// Rows that stand elsewhere, or nowhere yet, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("B01 B02 B03 B06", "`slow.rs`: they need limits of their own"),
    ("B04 B07", "`tls.rs` (random bytes and a TLS hello also below)"),
    ("B05", "`inbound`'s unit tests, in paused time: ten bytes a second for ten minutes"),
    ("B08", "`accept::sources`'s unit tests: loopback is one machine and not counted"),
    ("B26 B27 B28 B29", "`floods.rs`, in frames"),
    ("B44 to B57", "access control does not exist yet; that credentials go no further is in `calls.rs`"),
    ("B62", "header families belong to `forward_http`"),
    ("B63 to B75", "the store's and the egress rules'"),
    ("B76 to B82", "the management routes' own tests, or wait for their feature"),
    ("B84 B86 B88 to B91 B94 B95", "a Gemini body is not read (DESIGN): it passes, see `fidelity.rs`"),
    ("B85 B87 B92 B93", "as B84"),
    ("B96", "no multipart route yet"),
    ("B97", "a unary body passes as it is (DESIGN): `fidelity.rs`"),
    ("B98", "an event without end needs no limit: the observer keeps nothing of it"),
    ("B99 B101 B103 B107", "`forward_http`'s"),
    ("B100", "`targets.rs`: a garbled answer is 502"),
    ("B102", "relayed and marked (DESIGN): `calls.rs`, `targets.rs`"),
    ("B104 B105 B106", "`truncation.rs`"),
    ("B108 to B114", "internal gRPC"),
];

/// Whose refusal is expected.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Face {
    Gemini,
    Management,
}
use Face::{Gemini, Management};

/// What becomes of the connection.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Then {
    Closes,
    GoesOn,
}
use Then::{Closes, GoesOn};

struct Row(&'static str, Vec<u8>, u16, Face, Then);

/// A whole request with `fields` in the place of what a good one has.
fn head(fields: &str) -> Vec<u8> {
    format!("POST {UNARY} HTTP/1.1\r\n{fields}\r\n").into_bytes()
}

/// A good head with more fields, and a body.
fn with(fields: &str, body: &str) -> Vec<u8> {
    format!("POST {UNARY} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n{body}").into_bytes()
}

fn line(line: &str) -> Vec<u8> {
    format!("{line}\r\nHost: localhost\r\n\r\n").into_bytes()
}

fn gemini(path: &str) -> Vec<u8> {
    line(&format!("POST /gateway/gemini/{path} HTTP/1.1"))
}

fn framing() -> Vec<Row> {
    let closes = |row, bytes| Row(row, bytes, 400, Gemini, Closes);
    let mut rows = vec![
        Row("B04", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), 400, Management, Closes),
        Row("B04", b"\x00\x80\xff\x01 random\r\n\r\n".to_vec(), 400, Management, Closes),
        closes("B09", format!("POST {UNARY} HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n").into()),
        closes("B09", head("Host: localhost\nContent-Length: 0\r\n")),
        closes("B10", head("Host: localhost\r\nX: a\0b\r\n")),
        closes("B10", head("Host: localhost\r\nX: a\rb\r\n")),
        closes("B10", head("Host: localhost\r\nX\x01: b\r\n")),
        closes("B11", head("Host: localhost\r\nX: a\r\n b\r\n")),
        closes("B14", head("Content-Length: 0\r\n")),
        closes("B14", head("Host: localhost\r\nHost: localhost\r\n")),
        closes("B14", head("Host: localhost\r\nhost: other\r\n")),
        closes("B15", with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        closes("B16", with("Content-Length: 2\r\nContent-Length: 3\r\n", "{}")),
        closes("B16", with("Content-Length: 2\r\nContent-Length: 2\r\n", "{}")),
        closes(
            "B19",
            format!(
                "POST {UNARY} HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            )
            .into(),
        ),
    ];
    for host in ["a/admin?#", "a@b", "a:99999"] {
        rows.push(closes("B12", head(&format!("Host: {host}\r\nContent-Length: 0\r\n"))));
    }
    for length in ["+3", "-1", "1_0", "3, 3", "18446744073709551616"] {
        rows.push(closes("B17", with(&format!("Content-Length: {length}\r\n"), "{} ")));
    }
    for coding in ["xchunked", "chunked, identity", "gzip, chunked", "\x0bchunked", "identity"] {
        rows.push(closes("B18", with(&format!("Transfer-Encoding: {coding}\r\n"), "0\r\n\r\n")));
    }
    rows.push(closes(
        "B18",
        with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    ));
    rows.push(closes("B18", with("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")));
    let chunked = |row, body: &str| closes(row, with("Transfer-Encoding: chunked\r\n", body));
    for body in [
        "0x3\r\nabc\r\n0\r\n\r\n",
        "ffffffffffffffff1\r\na",
        "3\nabc\r\n0\r\n\r\n",
        "3;a\nb\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
    ] {
        rows.push(chunked("B20", body));
    }
    rows.push(chunked("B21", &format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(17_000))));
    rows.push(chunked("B21", &format!("0\r\n{}\r\n", "X: y\r\n".repeat(3_000))));
    rows
}

fn heads() -> Vec<Row> {
    let fields = "X: y\r\n".repeat(101);
    vec![
        Row("B13", head("Host: evil.example\r\nContent-Length: 0\r\n"), 421, Gemini, GoesOn),
        Row("B83", b"GET /api/x HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_vec(), 421, Management, GoesOn),
        Row("B83", with("Origin: https://evil.example\r\nContent-Length: 0\r\n", ""), 403, Gemini, GoesOn),
        Row(
            "B83",
            b"OPTIONS /api/x HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n".to_vec(),
            403,
            Management,
            GoesOn,
        ),
        Row(
            "B14",
            b"GET http://evil/livez HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
            400,
            Management,
            Closes,
        ),
        Row(
            "B24",
            with(
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\nContent-Length: 0\r\n",
                "",
            ),
            400,
            Gemini,
            Closes,
        ),
        Row(
            "B24",
            with("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n", ""),
            400,
            Gemini,
            Closes,
        ),
        Row(
            "B24",
            b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n".to_vec(),
            405,
            Management,
            Closes,
        ),
        Row("B24", line("TRACE / HTTP/1.1"), 405, Management, Closes),
        Row("B25", head(&format!("Host: localhost\r\n{fields}")), 431, Gemini, Closes),
        Row(
            "B25",
            head(&format!("Host: localhost\r\nX: {}\r\n", "y".repeat(33 * 1024))),
            431,
            Gemini,
            Closes,
        ),
        Row("B25", gemini(&"a".repeat(70_000)), 431, Gemini, Closes),
        Row(
            "B41",
            head(&format!("Host: localhost\r\nUser-Agent: {}\r\n", "y".repeat(1 << 20))),
            431,
            Gemini,
            Closes,
        ),
        Row("B41", head("Host: localhost\r\nUser-Agent: \x1b[31m\r\n"), 400, Gemini, Closes),
        Row("B42", line(&format!("get {UNARY} HTTP/1.1")), 405, Gemini, Closes),
        Row("B42", line(&format!("FOO {UNARY} HTTP/1.1")), 405, Gemini, Closes),
        Row("B42", line(&format!("PATCH {UNARY} HTTP/1.1")), 405, Gemini, GoesOn),
        Row("B42", line("POST /livez HTTP/1.1"), 405, Management, GoesOn),
        Row("B43", with("X_Api_Key: a\r\nContent-Length: 0\r\n", ""), 400, Gemini, Closes),
        Row("B43", with("Content_Length: 0\r\n", ""), 400, Gemini, Closes),
    ]
}

fn paths() -> Vec<Row> {
    let mut rows = Vec::new();
    for path in ["/v1/models/../admin/secrets", "/v1/./chat/completions", "/api/../metrics"] {
        rows.push(Row("B30", line(&format!("GET {path} HTTP/1.1")), 404, Management, GoesOn));
    }
    rows.push(Row("B30", gemini("v1beta/models/../models/chat:generateContent"), 404, Gemini, GoesOn));
    rows.push(Row("B31", line("GET /v1/%2e%2e%2fadmin HTTP/1.1"), 400, Management, GoesOn));
    rows.push(Row("B31", gemini("v1beta/models/%2e%2e:generateContent"), 400, Gemini, GoesOn));
    for path in ["%252e%252e%252f", "%c0%ae"] {
        rows.push(Row("B32", line(&format!("GET /api/{path} HTTP/1.1")), 400, Management, GoesOn));
        rows.push(Row("B32", gemini(&format!("v1beta/models/{path}:generateContent")), 400, Gemini, GoesOn));
    }
    for path in ["//v1/chat/completions", "/v1//chat"] {
        rows.push(Row("B33", line(&format!("GET {path} HTTP/1.1")), 404, Management, GoesOn));
    }
    rows.push(Row("B33", gemini("v1beta//models/chat:generateContent"), 404, Gemini, GoesOn));
    for path in ["a;jsessionid=1", "a\\..\\b", "a%5cb", "a%00b", "a%0d%0ab"] {
        rows.push(Row("B34", line(&format!("GET /api/{path} HTTP/1.1")), 400, Management, GoesOn));
        rows.push(Row("B34", gemini(&format!("v1beta/models/{path}:generateContent")), 400, Gemini, GoesOn));
    }
    rows.push(Row("B34", gemini("v1beta/models/\u{e9}:generateContent"), 400, Gemini, Closes));
    let long = "a".repeat(10_000);
    for (name, status) in [
        ("../../x", 404),
        ("a%2fb", 404),
        ("a%20b", 404),
        (long.as_str(), 404),
        ("%E2%80%AE", 404),
        ("a%00", 400),
        ("%2e", 400),
    ] {
        rows.push(Row(
            "B35",
            gemini(&format!("v1beta/models/{name}:generateContent")),
            status,
            Gemini,
            GoesOn,
        ));
    }
    rows.push(Row("B58", gemini("v1beta/models/unknown:generateContent"), 404, Gemini, GoesOn));
    rows.push(Row("B58", line("POST /gateway/nobody/v1 HTTP/1.1"), 404, Management, GoesOn));
    rows.push(Row("B59", gemini("v1beta/models/bare:generateContent"), 503, Gemini, GoesOn));
    rows
}

/// With a limit of 1000 bytes.
fn sizes() -> Vec<Row> {
    let cap = format!("3e9\r\n{}\r\n0\r\n\r\n", "a".repeat(1001));
    let ones = "1\r\na\r\n".repeat(2000);
    vec![
        Row("B36", with("Content-Length: 1001\r\n", ""), 413, Gemini, Closes),
        Row("B37", with("Transfer-Encoding: chunked\r\n", &cap), 413, Gemini, Closes),
        Row("B37", with("Transfer-Encoding: chunked\r\n", &ones), 413, Gemini, Closes),
        Row("B38", with("Content-Length: 4294967297\r\n", ""), 413, Gemini, Closes),
        Row("B38", with("Content-Length: 9223372036854775808\r\n", ""), 413, Gemini, Closes),
        Row(
            "B39",
            with("Content-Encoding: gzip\r\nContent-Length: 4\r\n", "\x1f\x1f\x1f\x1f"),
            415,
            Gemini,
            Closes,
        ),
    ]
}

#[tokio::test]
async fn every_row_is_answered_as_the_table_says() {
    let mut config = Config::default();
    config.requests.gemini_body_max = 1000;
    let rig = Rig::with(config).await;
    for Row(row, bytes, status, face, then) in [framing(), heads(), paths(), sizes()].into_iter().flatten() {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        let mut client = Client::connect(rig.address).await;
        // B22: what is pipelined behind a refused request is not one.
        let smuggled = if then == Closes { get("/SMUGGLED") } else { Vec::new() };
        client.send(&[bytes, smuggled].concat()).await;
        let reply = client.reply().await.unwrap_or_else(|| panic!("{row} {shown:?}: no answer"));
        assert_eq!(reply.status, status, "{row} {shown:?}: {}", reply.text());
        match face {
            Gemini => reply.gemini_refusal(status),
            Management => reply.management_refusal(status),
        };
        assert_eq!(status == 405, reply.field("allow").is_some(), "{row}");
        assert_eq!(status == 503, reply.field("x-should-retry") == Some("false"), "{row}");
        if then == Closes {
            assert!(client.end().await.is_empty(), "{row} {shown:?}: nothing but one answer, then the end");
        } else {
            let next = client.ask(&post(UNARY, "", b"{}")).await;
            assert_eq!(next.status, 200, "{row} {shown:?}: the connection goes on");
        }
    }
    assert!(
        rig.seen().iter().all(|seen| seen.body.as_deref().map_or(true, |body| body == b"{}")),
        "nothing bad was passed on whole"
    );
}

#[tokio::test]
async fn b23_an_unread_body_is_never_a_request() {
    let rig = Rig::new().await;
    let inner = get("/livez");
    let mut client = Client::connect(rig.address).await;
    let refused = post(&UNARY.replace("chat", "unknown"), "", &inner);
    client.ask(&refused).await.gemini_refusal(404);
    client.send(&post(UNARY, "", b"{}")).await;
    // The next answer is the next request's, or there is none.
    assert!(client.reply().await.is_none_or(|reply| reply.text() == r#"{"ok":true}"#));
}

#[tokio::test]
async fn b40_content_types_pass() {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    for kind in ["", "Content-Type: text/plain\r\n", "Content-Type: application/json; charset=utf-16\r\n"] {
        let request = with(&format!("{kind}Content-Length: 2\r\n"), "{}");
        assert_eq!(client.ask(&request).await.status, 200, "{kind}");
    }
}

#[tokio::test]
async fn b60_b61_nothing_in_a_body_steers() {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    let body =
        br#"{"metadata":{"user_api_key":"x"},"api_base":"https://evil.example","extra_headers":{"a":"b"}}"#;
    assert_eq!(client.ask(&post(UNARY, "", body)).await.status, 200);
    assert_eq!(rig.seen()[0].body.as_deref(), Ok(body.as_slice()));
}

#[test]
fn rows_elsewhere_are_named_once_with_their_reason() {
    let mut rows: Vec<&str> = ELSEWHERE.iter().map(|(rows, _)| *rows).collect();
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(rows.len(), ELSEWHERE.len());
    assert!(ELSEWHERE.iter().all(|(_, reason)| !reason.is_empty()));
}

#[tokio::test]
async fn rows_that_apply_to_http2() {
    let rig = Rig::new().await;
    let mut tasks = tokio::task::JoinSet::new();
    let client = crate::truncation::connect_http2(rig.address, &mut tasks).await;
    for (row, method, uri, field, status) in [
        ("B13", "POST", format!("http://evil.example{UNARY}"), None, 421),
        ("B24", "TRACE", format!("http://localhost{UNARY}"), None, 405),
        (
            "B31",
            "POST",
            "http://localhost/gateway/gemini/v1beta/models/%2e%2e:generateContent".to_owned(),
            None,
            400,
        ),
        ("B36", "POST", format!("http://localhost{UNARY}"), Some(("content-length", "150000000")), 413),
        ("B43", "POST", format!("http://localhost{UNARY}"), Some(("x_api_key", "a")), 400),
        ("B58", "POST", format!("http://localhost{}", UNARY.replace("chat", "unknown")), None, 404),
    ] {
        let mut request = http::Request::builder().method(method).uri(uri);
        if let Some((name, value)) = field {
            request = request.header(name, value);
        }
        let request = request.body(()).unwrap();
        let end = field.is_none_or(|(name, _)| name != "content-length");
        let (response, _body) = client.clone().ready().await.unwrap().send_request(request, end).unwrap();
        let response = response.await.unwrap();
        assert_eq!(response.status(), status, "{row}");
        assert_eq!(response.headers()["keyward-error-source"], "gateway", "{row}");
        assert!(!response.headers().contains_key("connection"), "{row}");
    }
    assert!(rig.seen().is_empty());
}
