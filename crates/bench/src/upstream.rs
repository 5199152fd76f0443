//! A provider that costs next to nothing: fixed 1 KiB answers, and streams of about 260-byte events at a given pace.
//!
//! The model's name says what is wanted: `u` answers at once, `s-<chunks>-<pause in ms>` streams.

use std::{convert::Infallible, time::Duration};

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full, channel::Channel, combinators::BoxBody};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::task::JoinSet;

/// Serves on a port that the system picks, and prints it.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.context("bind")?;
    println!("listening on http://{}", listener.local_addr()?);
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.context("accept")?;
        stream.set_nodelay(true).context("set TCP_NODELAY")?;
        connections.spawn(async move {
            let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            // A client that goes away in the middle is part of the measurement.
            let _ = builder.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let path = request.uri().path().to_owned();
    // The question is read to its end first, as a provider does.
    let _ = request.into_body().collect().await;
    let model = path.rsplit('/').next().and_then(|last| last.split(':').next()).unwrap_or_default();
    let mut wanted =
        model.strip_prefix("s-").unwrap_or_default().split('-').filter_map(|part| part.parse::<u64>().ok());
    let response = match (wanted.next(), wanted.next()) {
        (Some(chunks), Some(pause)) => {
            let response = Response::builder().header(CONTENT_TYPE, "text/event-stream");
            response.body(stream(chunks, Duration::from_millis(pause)))
        }
        _ => Response::builder()
            .header(CONTENT_TYPE, "application/json; charset=UTF-8")
            .body(Full::new(Bytes::from_static(unary())).boxed()),
    };
    Ok(response.unwrap_or_default())
}

fn stream(chunks: u64, pause: Duration) -> BoxBody<Bytes, Infallible> {
    let (mut sender, body) = Channel::new(1);
    // The sender ends with the body: sending fails once the connection is gone.
    #[expect(clippy::disallowed_methods, reason = "ends with the stream that it feeds")]
    tokio::spawn(async move {
        for number in 0..chunks {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let event = if number + 1 == chunks { last_event() } else { event() };
            if sender.send_data(Bytes::from_static(event)).await.is_err() {
                return;
            }
        }
    });
    body.boxed()
}

/// About 1 KiB, in Gemini's shape.
fn unary() -> &'static [u8] {
    concat!(
        r#"{"candidates":[{"content":{"parts":[{"text":""#,
        "The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog. The quick brown fox ",
        "jumps over the lazy dog. The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy ",
        "dog. The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog. The quick brown ",
        "fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the ",
        "lazy dog. The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog. The quick ",
        "brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog. The quick brown fox jumps over ",
        "the lazy dog. The quick brown fox jumps over the lazy dog. The quick brown fox jumps over.",
        r#""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":8,"#,
        r#""candidatesTokenCount":160,"totalTokenCount":168},"modelVersion":"gemini-2.5-flash","responseId":"bench"}"#,
    )
    .as_bytes()
}

/// About 260 bytes.
fn event() -> &'static [u8] {
    concat!(
        r#"data: {"candidates": [{"content": {"parts": [{"text": "The quick brown fox jumps "}],"role": "model"},"#,
        r#""index": 0}],"usageMetadata": {"promptTokenCount": 8,"candidatesTokenCount": 6,"totalTokenCount": 14},"#,
        r#""modelVersion": "gemini-2.5-flash","responseId": "bench"}"#,
        "\r\n\r\n"
    )
    .as_bytes()
}

fn last_event() -> &'static [u8] {
    concat!(
        r#"data: {"candidates": [{"content": {"parts": [{"text": ""}],"role": "model"},"finishReason": "STOP","#,
        r#""index": 0}],"usageMetadata": {"promptTokenCount": 8,"candidatesTokenCount": 6,"totalTokenCount": 14},"#,
        r#""modelVersion": "gemini-2.5-flash","responseId": "bench"}"#,
        "\r\n\r\n"
    )
    .as_bytes()
}
