//! Cheap generated answers for benchmarks: nothing is recorded and nothing is scripted.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body::Frame;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep};

use crate::provider::{Asked, Dialect, Operation, Shape};

/// What is generated: Gemini's answers, by the method in the path.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Bytes of a unary answer.
    pub unary: usize,
    /// Events of a stream.
    pub chunks: u32,
    /// Bytes of each event.
    pub size: usize,
    /// Between two events; zero sends them as fast as they are read.
    pub pace: Duration,
}

impl Default for Load {
    fn default() -> Self {
        Self { unary: 1024, chunks: 100, size: 260, pace: Duration::from_millis(100) }
    }
}

/// Answers on `listener`, HTTP/1.1 and HTTP/2 alike, until it is dropped.
pub async fn serve(listener: TcpListener, load: Load) {
    let prepared = Arc::new(Prepared::new(load));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                let _ = stream.set_nodelay(true);
                let prepared = Arc::clone(&prepared);
                let service = service_fn(move |request| answer(Arc::clone(&prepared), request));
                connections.spawn(async move {
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    // A client that leaves in the middle is part of a load test.
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                });
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// The answers, rendered once.
struct Prepared {
    load: Load,
    unary: Bytes,
    event: Bytes,
    last: Bytes,
}

impl Prepared {
    fn new(load: Load) -> Self {
        let render = |shape, index, chunks, size| {
            let asked =
                Asked { dialect: Dialect::Gemini, operation: Operation::Chat, shape, model: String::new() };
            asked.generated(index, chunks, size).unwrap_or_default()
        };
        Self {
            load,
            unary: render(Shape::Unary, 0, 1, load.unary),
            event: render(Shape::Sse, 0, 2, load.size),
            last: render(Shape::Sse, 0, 1, load.size),
        }
    }
}

async fn answer(
    prepared: Arc<Prepared>,
    request: Request<Incoming>,
) -> Result<Response<Paced>, hyper::Error> {
    let streams = request.uri().path().ends_with(":streamGenerateContent");
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        frame?;
    }
    let (content_type, left) = if streams {
        ("text/event-stream", prepared.load.chunks)
    } else {
        ("application/json; charset=UTF-8", 0)
    };
    let unary = (!streams).then(|| prepared.unary.clone());
    let mut response = Response::new(Paced { prepared, unary, left, due: None });
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    Ok(response)
}

/// A body: one unary answer, or the events of a stream at their pace.
struct Paced {
    prepared: Arc<Prepared>,
    unary: Option<Bytes>,
    left: u32,
    due: Option<Pin<Box<Sleep>>>,
}

impl http_body::Body for Paced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(unary) = self.unary.take() {
            return Poll::Ready(Some(Ok(Frame::data(unary))));
        }
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let pace = self.prepared.load.pace;
        if !pace.is_zero() {
            let due = self.due.get_or_insert_with(|| Box::pin(tokio::time::sleep(Duration::ZERO)));
            ready!(due.as_mut().poll(context));
            let next = due.deadline().max(Instant::now() - pace) + pace;
            due.as_mut().reset(next);
        }
        self.left -= 1;
        let event = if self.left == 0 { self.prepared.last.clone() } else { self.prepared.event.clone() };
        Poll::Ready(Some(Ok(Frame::data(event))))
    }

    fn is_end_stream(&self) -> bool {
        self.unary.is_none() && self.left == 0
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.unary.as_ref().map_or_else(http_body::SizeHint::default, |unary| {
            http_body::SizeHint::with_exact(unary.len() as u64)
        })
    }
}
