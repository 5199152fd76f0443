//! A running edge on loopback over a scripted forwarder.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use dialect::Dialect;
use edge::{Config, Edge, Forwarder, Planes, Policy, Serving};
use forward::{Answer, BodyError, Call, Forward, ForwardError, Head};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt as _;
use names::{EndpointId, EndpointName, MappingId, ModelName, Provider, SecretId};
use store::{Entropy, FallbackConfig, Held, Linkage, Position, PublishedEndpoint, PublishedTarget};
use telemetry::Metrics;
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// How a scripted answer's body ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    Clean,
    With(BodyError),
    /// Never: the provider is silent.
    Open,
}

/// What the forwarder does with one call.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        frames: Vec<Bytes>,
        end: End,
    },
    Fails(ForwardError),
    /// Waits until it is dropped.
    Hangs,
}

impl Reply {
    pub(crate) fn frames(content_type: &str, frames: impl IntoIterator<Item = Bytes>, end: End) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self::Answer { status: 200, headers, frames: frames.into_iter().collect(), end }
    }

    pub(crate) fn json(status: u16, body: &'static str) -> Self {
        let headers =
            vec![("content-type", "application/json".to_owned()), ("content-length", body.len().to_string())];
        Self::Answer { status, headers, frames: vec![Bytes::from_static(body.as_bytes())], end: End::Clean }
    }
}

/// What the forwarder saw of one call.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) head: Head,
    pub(crate) body: Result<Bytes, BodyError>,
}

type Play = dyn Fn(&Head) -> Reply + Send + Sync;

/// A forwarder that reads every body and answers by script. `dropped` gets a permit whenever a call that hangs, or a body
/// before its end, is dropped.
pub(crate) struct Scripted {
    play: Mutex<Arc<Play>>,
    pub(crate) seen: Mutex<Vec<Seen>>,
    pub(crate) reached: Semaphore,
    pub(crate) dropped: Arc<Semaphore>,
}

struct OnDrop(Option<Arc<Semaphore>>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        if let Some(dropped) = self.0.take() {
            dropped.add_permits(1);
        }
    }
}

#[async_trait::async_trait]
impl Forward for Scripted {
    async fn forward(&self, call: Call) -> Result<Answer, ForwardError> {
        let mut guard = OnDrop(Some(Arc::clone(&self.dropped)));
        let body = call.body.collect().await.map(http_body_util::Collected::to_bytes);
        let broken = body.is_err();
        let play = Arc::clone(&self.play.lock().unwrap());
        let reply = play(&call.head);
        self.seen.lock().unwrap().push(Seen { head: call.head, body });
        self.reached.add_permits(1);
        match reply {
            _ if broken => {
                guard.0 = None;
                Err(ForwardError::RequestBroken)
            }
            Reply::Fails(error) => {
                guard.0 = None;
                Err(error)
            }
            Reply::Hangs => std::future::pending().await,
            Reply::Answer { status, headers, frames, end } => {
                let mut map = HeaderMap::new();
                for (name, value) in headers {
                    map.append(name, HeaderValue::try_from(value).unwrap());
                }
                let body = Frames { left: frames.into(), end, guard };
                Ok(Answer {
                    status: StatusCode::from_u16(status).unwrap(),
                    headers: map,
                    body: body.boxed_unsync(),
                })
            }
        }
    }
}

struct Frames {
    left: VecDeque<Bytes>,
    end: End,
    guard: OnDrop,
}

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(frame) = self.left.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(frame))));
        }
        match std::mem::replace(&mut self.end, End::Clean) {
            End::Open => {
                self.end = End::Open;
                Poll::Pending
            }
            End::Clean => {
                self.guard.0 = None;
                Poll::Ready(None)
            }
            End::With(error) => {
                self.guard.0 = None;
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}

/// Counts, so that a test's traffic split repeats; its high bits run through all eighths.
struct Counting(Mutex<u128>);

impl Entropy for Counting {
    fn bits(&self) -> u128 {
        let mut next = self.0.lock().unwrap();
        *next = next.wrapping_add(1 << 125).wrapping_add(1);
        *next
    }
}

/// A running edge.
pub(crate) struct Rig {
    pub(crate) address: SocketAddr,
    pub(crate) edge: Arc<Edge>,
    pub(crate) forwarder: Arc<Scripted>,
    pub(crate) catalog: Arc<Held<PublishedEndpoint>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) stopping: CancellationToken,
    pub(crate) ending: CancellationToken,
    pub(crate) served: JoinSet<std::io::Result<()>>,
}

/// How a test wants its edge.
pub(crate) struct Wanted {
    pub(crate) config: Config,
    pub(crate) policy: Policy,
    pub(crate) planes: Planes,
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    pub(crate) management: Option<axum::Router>,
    pub(crate) loaded: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            config: Config::default(),
            policy: Policy::Open,
            planes: Planes { data: true, admin: true },
            tls: None,
            management: None,
            loaded: true,
        }
    }
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::wanted(Wanted::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        Self::wanted(Wanted { config, ..Wanted::default() }).await
    }

    pub(crate) async fn wanted(wanted: Wanted) -> Self {
        let catalog = Arc::new(Held::default());
        if wanted.loaded {
            catalog.replace(Position { epoch: 1, revision: 7 }, endpoints());
        }
        let forwarder = Arc::new(Scripted {
            play: Mutex::new(Arc::new(|_: &Head| Reply::json(200, r#"{"ok":true}"#))),
            seen: Mutex::default(),
            reached: Semaphore::new(0),
            dropped: Arc::new(Semaphore::new(0)),
        });
        let forward = |dialect| Forwarder {
            dialects: vec![dialect],
            forward: Arc::clone(&forwarder) as Arc<dyn Forward>,
        };
        let forwarders = HashMap::from([
            (provider("gemini"), forward(Dialect::Gemini)),
            (provider("anthropic"), forward(Dialect::Anthropic)),
            (provider("openai"), forward(Dialect::OpenAi)),
        ]);
        let metrics = Arc::new(Metrics::new());
        let entropy = Arc::new(Counting(Mutex::new(0)));
        let edge = Edge::new(
            wanted.config,
            wanted.policy,
            Arc::clone(&catalog),
            forwarders,
            Arc::clone(&metrics),
            entropy,
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stopping, ending) = (CancellationToken::new(), CancellationToken::new());
        let serving = Serving {
            planes: wanted.planes,
            tls: wanted.tls,
            management: wanted.management,
            stopping: stopping.clone(),
            ending: ending.clone(),
        };
        let mut served = JoinSet::new();
        served.spawn(edge::serve(Arc::clone(&edge), listener, serving));
        Self { address, edge, forwarder, catalog, metrics, stopping, ending, served }
    }

    /// From now on every call gets this.
    pub(crate) fn replies(&self, reply: Reply) {
        self.plays(move |_| reply.clone());
    }

    pub(crate) fn plays(&self, play: impl Fn(&Head) -> Reply + Send + Sync + 'static) {
        *self.forwarder.play.lock().unwrap() = Arc::new(play);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.forwarder.seen.lock().unwrap().clone()
    }

    /// The value of one line of the exposition.
    pub(crate) fn metric(&self, line: &str) -> String {
        let text = self.metrics.expose();
        let found = text.lines().find_map(|candidate| candidate.strip_prefix(line));
        found.unwrap_or_default().trim().to_owned()
    }
}

pub(crate) fn provider(name: &str) -> Provider {
    Provider::parse(name).unwrap()
}

pub(crate) fn mapping(number: u128) -> MappingId {
    MappingId::from_random(number)
}

fn target(number: u128, whose: &str, linkage: Linkage) -> PublishedTarget {
    PublishedTarget {
        mapping: mapping(number),
        provider: provider(whose),
        model: ModelName::parse(&format!("model-{number}")).unwrap(),
        linkage,
        weight: 1.0,
        secret: Some((SecretId::from_random(number), 1)),
    }
}

pub(crate) fn endpoint(name: &str, targets: Vec<PublishedTarget>) -> PublishedEndpoint {
    let number = name.bytes().fold(0, |sum, byte| sum * 257 + u128::from(byte));
    let backed = targets.iter().any(|target| target.linkage == Linkage::Fallback);
    PublishedEndpoint {
        id: EndpointId::from_random(number),
        name: EndpointName::parse(name).unwrap(),
        targets,
        without_secret: None,
        routing_strategy: None,
        fallback_config: backed.then(FallbackConfig::default),
        tags: [("name".to_owned(), name.to_owned())].into(),
        created_at: 0,
        revision: 7,
    }
}

/// `chat`: one target. `backed`: one and a fallback. `split`: two with weights 3 and 1. `bare`: none. `claude`: one that
/// speaks Anthropic's dialect. `gpt`: one that speaks OpenAI's, with a fallback.
fn endpoints() -> Vec<PublishedEndpoint> {
    let primary = |number| target(number, "gemini", Linkage::Primary);
    let split = PublishedEndpoint {
        routing_strategy: Some(store::RoutingStrategy::RequestBasedTrafficSplit),
        ..endpoint("split", vec![PublishedTarget { weight: 3.0, ..primary(4) }, primary(5)])
    };
    vec![
        endpoint("chat", vec![primary(1)]),
        endpoint("backed", vec![primary(2), target(3, "gemini", Linkage::Fallback)]),
        split,
        endpoint("bare", Vec::new()),
        endpoint("claude", vec![target(6, "anthropic", Linkage::Primary)]),
        endpoint("gpt", vec![target(7, "openai", Linkage::Primary), target(8, "openai", Linkage::Fallback)]),
    ]
}
