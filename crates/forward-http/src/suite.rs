//! What tests of a provider's room need: a forwarder that may reach this machine, targets, calls, and golden cases.
//!
//! Built only with the feature `suite`, for tests.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "only tests call this, and there a panic is the report"
)]

mod golden;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use dialect::{Framing, Operation, Version};
use forward::{
    Answer, Body, Call, Credential, Forward as _, ForwardError, Head, Limits, Splice, SpliceForm, Target,
    Targets,
};
use http::{HeaderMap, Method};
use http_body_util::BodyExt as _;
use names::{EndpointName, MappingId, ModelName, Provider, RequestId, SecretId};

use crate::{Config, HttpForwarder, Wire, egress::Resolve};

pub use golden::{Case, cases};

/// The key in every target's secret.
pub const KEY: &str = "sk-Canary-0123456789";

/// A forwarder that knows one target, and an operator who lets calls go to this machine.
pub struct House<W> {
    forwarder: HttpForwarder<W>,
}

impl<W: Wire> House<W> {
    /// A forwarder that speaks `wire` and knows `target`.
    pub fn open(wire: W, target: Target) -> Self {
        let allow = ["http://127.0.0.0/8", "https://127.0.0.0/8"].map(|entry| entry.parse().unwrap());
        let config = Config { allow: allow.to_vec(), ..Config::default() };
        let outbound = config.build_with(Arc::new(Here)).unwrap();
        Self { forwarder: HttpForwarder::new(wire, Arc::new(Only(Arc::new(target))), outbound) }
    }

    /// Sends a call.
    pub async fn ask(&self, call: Call) -> Result<Answer, ForwardError> {
        self.forwarder.forward(call).await
    }
}

/// A target of that provider, whose secret holds [`KEY`] as `api_key`; its own host is the only one that it may be sent to
/// where it has an `api_base`.
pub fn target(provider: &str, model: &str, settings: &[(&str, &str)]) -> Target {
    let base = settings.iter().find(|(name, _)| *name == "api_base").map(|(_, base)| *base);
    let host =
        base.and_then(|base| base.parse::<http::Uri>().ok()).and_then(|uri| uri.host().map(str::to_owned));
    Target {
        mapping: MappingId::from_random(1),
        endpoint: EndpointName::parse("endpoint").unwrap(),
        provider: Provider::parse(provider).unwrap(),
        model: ModelName::parse(model).unwrap(),
        secret: (SecretId::from_random(1), 1),
        settings: settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        credential: Credential {
            fields: [("api_key".to_owned(), KEY.into())].into(),
            allowed_hosts: host.into_iter().collect(),
        },
    }
}

/// A call of that operation to the one target; `path` is what follows the version.
pub fn call(operation: Operation, path: Option<&str>, body: impl Into<Bytes>) -> Call {
    let long = Duration::from_mins(1);
    let body = body.into();
    let head = Head {
        request_id: RequestId::from_random(1),
        endpoint: EndpointName::parse("endpoint").unwrap(),
        mapping: MappingId::from_random(1),
        revision: 1,
        attempt: 1,
        operation,
        version: Version::V1,
        path: path.map(str::to_owned),
        framing: Framing::Unary,
        method: Method::POST,
        query: None,
        headers: HeaderMap::new(),
        content_length: Some(body.len() as u64),
        splices: Vec::new(),
        limits: Limits { connect: long, first_byte: long, idle: long, total: None },
    };
    Call { head, body: forward::full(body) }
}

/// A call whose body names the endpoint as `endpoint`, where the target's model goes.
pub fn naming(operation: Operation, path: &str, body: &str, form: SpliceForm) -> Call {
    let mut call = call(operation, Some(path), body.to_owned());
    let at = body.find("endpoint").unwrap() as u64;
    call.head.splices = vec![Splice { at, length: "endpoint".len() as u64, form }];
    call
}

/// Headers that a client may send and no provider may see: every credential it could have, and where it is.
pub const PRIVATE: [(&str, &str); 9] = [
    ("authorization", "Bearer client"),
    ("x-api-key", "client"),
    ("api-key", "client"),
    ("x-goog-api-key", "client"),
    ("cookie", "session=client"),
    ("origin", "https://client.example"),
    ("x-forwarded-for", "client"),
    ("anthropic-workspace-id", "client"),
    ("openai-organization", "client"),
];

/// All of a body that must end well.
pub async fn whole(mut body: Body) -> Bytes {
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        all.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    all.freeze()
}

/// A forwarder's state of one target.
struct Only(Arc<Target>);

#[async_trait::async_trait]
impl Targets for Only {
    fn target(&self, mapping: &MappingId) -> Option<Arc<Target>> {
        (self.0.mapping == *mapping).then(|| Arc::clone(&self.0))
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
