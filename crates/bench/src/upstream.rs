//! A provider that costs next to nothing: fixed 1 KiB answers, and streams of about 260-byte events at a given pace.
//!
//! The model's name says what is wanted: `u` answers at once, `s-<chunks>-<pause in ms>` streams.

use std::{
    convert::Infallible,
    future::Future as _,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, Response, header::CONTENT_TYPE};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{task::JoinSet, time::Sleep};

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

/// A stream of events, each at its time; without a pause all of them are there at once, so that this end is never the
/// slow one.
struct Stream {
    left: u64,
    pause: Option<Pin<Box<Sleep>>>,
    every: Duration,
}

fn stream(chunks: u64, every: Duration) -> BoxBody<Bytes, Infallible> {
    let pause = (!every.is_zero()).then(|| Box::pin(tokio::time::sleep(every)));
    Stream { left: chunks, pause, every }.boxed()
}

impl http_body::Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let every = self.every;
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            let next = pause.deadline() + every;
            pause.as_mut().reset(next);
        }
        self.left -= 1;
        let event = if self.left == 0 { last_event() } else { event() };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(event)))))
    }
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
