//! The load tool: keep-alive HTTP/1.1 connections over hyper, every run bounded in count.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::{
    Request,
    header::{CONTENT_TYPE, HOST},
};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet};

/// 0.7 KiB, as an application's first question looks.
fn question() -> Bytes {
    let text = "Tell me about the history of typography in two short paragraphs. ".repeat(9);
    Bytes::from(format!(
        r#"{{"contents":[{{"role":"user","parts":[{{"text":"{text}"}}]}}],"generationConfig":{{"temperature":0.2}}}}"#
    ))
}

/// One keep-alive connection.
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    authority: String,
}

impl Connection {
    async fn open(url: &str) -> anyhow::Result<Self> {
        let authority = url.strip_prefix("http://").context("an http URL")?.to_owned();
        let stream = TcpStream::connect(&authority).await.context("connect")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        #[expect(clippy::disallowed_methods, reason = "drives the connection; ends with it")]
        tokio::spawn(connection);
        Ok(Self { sender, authority })
    }

    /// One call, its answer read to the end.
    async fn call(&mut self, target: &str, question: &Bytes) -> anyhow::Result<()> {
        let request = Request::post(target)
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, "application/json")
            .header("x-goog-api-key", "dummy")
            .body(Full::new(question.clone()))?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await.context("send")?;
        ensure!(response.status() == 200, "status {}", response.status());
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            frame.context("read the answer")?;
        }
        Ok(())
    }
}

/// Latencies of a run, sorted.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// One a request.
    pub(crate) latencies: Vec<Duration>,
    /// From the first request to the last answer.
    pub(crate) took: Duration,
}

impl Outcome {
    /// How many calls there were.
    pub(crate) fn calls(&self) -> u64 {
        self.latencies.len() as u64
    }

    /// The latency that a share of the requests stayed below.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index"
        )]
        let index = (share * last as f64).round() as usize;
        self.latencies.get(index).copied().unwrap_or_default()
    }
}

/// `count` calls as fast as they go, over `connections` connections.
pub(crate) async fn saturate(
    url: &str,
    target: &str,
    connections: usize,
    count: usize,
) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        let (url, target, share) = (url.to_owned(), target.to_owned(), count / connections);
        workers.spawn(async move {
            let (mut connection, question) = (Connection::open(&url).await?, question());
            let mut outcome = Outcome::default();
            for _ in 0..share {
                let began = Instant::now();
                connection.call(&target, &question).await?;
                outcome.latencies.push(began.elapsed());
            }
            anyhow::Ok(outcome)
        });
    }
    gather(workers, started).await
}

/// `count` calls at `per_second`, one after another where they do not overlap, over a few connections in turn.
pub(crate) async fn paced(url: &str, target: &str, per_second: u32, count: usize) -> anyhow::Result<Outcome> {
    const CONNECTIONS: usize = 8;
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for number in 0..CONNECTIONS {
        let (url, target) = (url.to_owned(), target.to_owned());
        workers.spawn(async move {
            let (mut connection, question) = (Connection::open(&url).await?, question());
            let period = Duration::from_secs(1) / per_second * u32::try_from(CONNECTIONS)?;
            let offset = Duration::from_secs(1) / per_second * u32::try_from(number)?;
            let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + offset, period);
            let mut outcome = Outcome::default();
            for _ in 0..count / CONNECTIONS {
                ticks.tick().await;
                let began = Instant::now();
                connection.call(&target, &question).await?;
                outcome.latencies.push(began.elapsed());
            }
            anyhow::Ok(outcome)
        });
    }
    gather(workers, started).await
}

/// How long after the first call all streams are taken to be open and under way.
const ALL_OPEN: Duration = Duration::from_secs(2);

/// `count` streams at once, each on a connection of its own, read to their end. `midway` is called once all are open; a
/// stream lasts longer than that.
pub(crate) async fn streams(
    url: &str,
    target: &str,
    count: usize,
    midway: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let mut workers = JoinSet::new();
    let opened = std::sync::Arc::new(tokio::sync::Barrier::new(count + 1));
    for _ in 0..count {
        let (url, target, opened) = (url.to_owned(), target.to_owned(), std::sync::Arc::clone(&opened));
        workers.spawn(async move {
            let mut connection = Connection::open(&url).await?;
            opened.wait().await;
            let began = Instant::now();
            connection.call(&target, &question()).await?;
            anyhow::Ok(Outcome { latencies: vec![began.elapsed()], took: Duration::ZERO })
        });
    }
    opened.wait().await;
    tokio::time::sleep(ALL_OPEN).await;
    midway()?;
    gather(workers, started).await
}

async fn gather(mut workers: JoinSet<anyhow::Result<Outcome>>, started: Instant) -> anyhow::Result<Outcome> {
    let mut whole = Outcome::default();
    while let Some(outcome) = workers.join_next().await {
        let outcome = outcome.context("a worker")??;
        whole.latencies.extend(outcome.latencies);
    }
    whole.latencies.sort_unstable();
    whole.took = started.elapsed();
    Ok(whole)
}
