//! What every test needs: a provider, a forwarder that may reach it, and calls.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use dialect::{Framing, Operation, Version};
use forward::{
    Answer, Body, BodyError, Call, Credential, Forward as _, ForwardError, Head, Limits, Target, Targets,
};
use forward_gemini::Gemini;
use forward_http::{Config, HttpForwarder, egress::Resolve};
use http::{HeaderMap, Method};
use http_body_util::BodyExt as _;
use names::{EndpointName, MappingId, ModelName, Provider, RequestId, SecretId};
use parking_lot::Mutex;
use provider_sim::Sim;

pub(crate) const KEY: &str = "AIzaSyCanary0123456789";

/// How the provider is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// HTTP/1.1 in the clear.
    Http1,
    /// HTTP/2 over TLS, under the simulator's own authority.
    Http2,
}

pub(crate) const FACES: [Face; 2] = [Face::Http1, Face::Http2];

/// Forwarder's state: whatever a test put there.
#[derive(Default)]
pub(crate) struct Known(Mutex<Vec<Arc<Target>>>);

impl Known {
    pub(crate) fn put(&self, target: Target) {
        let mut known = self.0.lock();
        known.retain(|other| other.mapping != target.mapping);
        known.push(Arc::new(target));
    }
}

#[async_trait::async_trait]
impl Targets for Known {
    fn target(&self, mapping: &MappingId) -> Option<Arc<Target>> {
        self.0.lock().iter().find(|target| target.mapping == *mapping).cloned()
    }

    async fn reached(&self, _revision: u64) -> bool {
        true
    }
}

/// Every name is this machine.
struct Here;

#[async_trait::async_trait]
impl Resolve for Here {
    async fn resolve(&self, _name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))])
    }
}

/// A provider and a forwarder.
pub(crate) struct House {
    pub(crate) sim: Sim,
    pub(crate) known: Arc<Known>,
    pub(crate) forwarder: Arc<HttpForwarder<Gemini>>,
    pub(crate) base: String,
}

impl House {
    pub(crate) async fn open(face: Face) -> Self {
        Self::over(Sim::start().await.unwrap(), face)
    }

    pub(crate) fn over(sim: Sim, face: Face) -> Self {
        let base = match face {
            Face::Http1 => sim.http1_url(),
            Face::Http2 => sim.tls_url(),
        };
        let ca = ca_file(&sim);
        let config = Config { ca_file: Some(ca.path().to_owned()), ..loopback() };
        let (forwarder, known) = forwarder(config, Arc::new(Here));
        known.put(target(1, &base, KEY));
        Self { sim, known, forwarder, base }
    }

    pub(crate) async fn ask(&self, call: Call) -> Result<Answer, ForwardError> {
        self.forwarder.forward(call).await
    }
}

pub(crate) fn ca_file(sim: &Sim) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), sim.ca_pem()).unwrap();
    file
}

/// An operator who lets calls go to this machine.
pub(crate) fn loopback() -> Config {
    let allow = ["http://127.0.0.0/8", "https://127.0.0.0/8"].map(|entry| entry.parse().unwrap());
    Config { allow: allow.to_vec(), ..Config::default() }
}

pub(crate) fn forwarder(
    config: Config,
    resolver: Arc<dyn Resolve>,
) -> (Arc<HttpForwarder<Gemini>>, Arc<Known>) {
    let known = Arc::new(Known::default());
    let outbound = config.build_with(resolver).unwrap();
    (Arc::new(HttpForwarder::new(Gemini, Arc::clone(&known) as _, outbound)), known)
}

/// Target `number`, with a secret of that number.
pub(crate) fn target(number: u128, base: &str, key: &str) -> Target {
    let host = base.split_once("://").unwrap().1.split('/').next().unwrap();
    let host = if host.ends_with(']') { host } else { host.rsplit_once(':').map_or(host, |(host, _)| host) };
    Target {
        mapping: MappingId::from_random(number),
        endpoint: EndpointName::parse("chat").unwrap(),
        provider: Provider::parse("gemini").unwrap(),
        model: ModelName::parse("gemini-2.5-flash").unwrap(),
        secret: (SecretId::from_random(number), 1),
        settings: [("api_base".to_owned(), base.to_owned())].into(),
        credential: Credential {
            fields: [("api_key".to_owned(), key.into())].into(),
            allowed_hosts: vec![host.to_owned()],
        },
    }
}

/// A streamed call to target 1.
pub(crate) fn stream(body: Body) -> Call {
    let mut call = unary(body);
    call.head.operation = Operation::StreamGenerateContent;
    call.head.framing = Framing::Sse;
    call.head.query = Some("alt=sse".to_owned());
    call
}

/// A call to target 1 that wants one answer.
pub(crate) fn unary(body: Body) -> Call {
    let long = Duration::from_mins(1);
    let head = Head {
        request_id: RequestId::from_random(1),
        endpoint: EndpointName::parse("chat").unwrap(),
        mapping: MappingId::from_random(1),
        revision: 1,
        attempt: 1,
        operation: Operation::GenerateContent,
        version: Version::V1Beta,
        path: None,
        framing: Framing::Unary,
        method: Method::POST,
        query: None,
        headers: HeaderMap::new(),
        splices: Vec::new(),
        content_length: None,
        limits: Limits { connect: long, first_byte: long, idle: long, total: None },
    };
    Call { head, body }
}

/// All that came of a body, and why it ended if not well.
pub(crate) async fn read(mut body: Body) -> (Bytes, Option<BodyError>) {
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => all.extend_from_slice(&frame.into_data().unwrap()),
            Err(error) => return (all.freeze(), Some(error)),
        }
    }
    (all.freeze(), None)
}

/// All of a body that must end well.
pub(crate) async fn whole(body: Body) -> Bytes {
    let (all, error) = read(body).await;
    assert_eq!(error, None);
    all
}
