//! An authority with folders of certificates, and a service that listens.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use names::Provider;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinSet};
use tonic::transport::{Channel, Server};
use tonic_health::pb::health_client::HealthClient;
use trust::{
    Authority, Connector, Domain, Expected, Files, GuardLayer, Identity, Lifetime, Trust, TrustError,
    incoming,
};

/// How long to wait for what is sure to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct House {
    folder: TempDir,
    authority: Authority,
    ca: String,
}

pub(crate) fn gemini() -> Provider {
    Provider::parse("gemini").unwrap()
}

#[expect(clippy::disallowed_methods, reason = "certificates are judged by the real clock")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

impl House {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lifetime = Lifetime { now: now(), length: Duration::from_hours(24) };
        let (authority, own) = Authority::create(&Domain::default(), lifetime).unwrap();
        Self { folder, authority, ca: own.certificate }
    }

    pub(crate) fn ca(&self) -> &str {
        &self.ca
    }

    /// Certificates of this identity in a folder of that name.
    pub(crate) fn files(&self, name: &str, identity: &Identity) -> PathBuf {
        self.files_at(name, identity, now())
    }

    /// The same, as if they had been made at that time; good for a day.
    pub(crate) fn files_at(&self, name: &str, identity: &Identity, made: SystemTime) -> PathBuf {
        let folder = self.folder.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        let lifetime = Lifetime { now: made, length: Duration::from_hours(24) };
        let issued = self.authority.issue(identity, &[], lifetime).unwrap();
        fs::write(folder.join("ca.pem"), &self.ca).unwrap();
        fs::write(folder.join("cert.pem"), issued.certificate).unwrap();
        fs::write(folder.join("key.pem"), issued.key.expose_secret()).unwrap();
        folder
    }

    /// What a process with this identity holds.
    pub(crate) fn trust(&self, identity: &Identity) -> Arc<Trust> {
        let name = identity.to_string().replace('/', "-");
        load(&self.files(&name, identity), expected(identity)).unwrap().into()
    }
}

pub(crate) fn expected(identity: &Identity) -> Expected {
    match identity {
        Identity::Edge | Identity::EdgeAdmin => Expected::Edge,
        Identity::Store => Expected::Store,
        Identity::Forwarder(provider) => Expected::Forwarder(provider.clone()),
    }
}

pub(crate) fn load(folder: &Path, me: Expected) -> Result<Trust, TrustError> {
    Trust::load(Files::in_folder(folder), Domain::default(), me)
}

/// A service that only says that it is healthy.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) guard: GuardLayer,
    _tasks: JoinSet<()>,
}

impl Service {
    pub(crate) async fn start(trust: Option<Arc<Trust>>) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let guard = GuardLayer::default();
        let (_, health) = tonic_health::server::health_reporter();
        let serving = Server::builder().layer(guard.clone()).add_service(health);
        let mut tasks = JoinSet::new();
        tasks
            .spawn(async move { drop(serving.serve_with_incoming(Box::pin(incoming(socket, trust))).await) });
        Self { address, guard, _tasks: tasks }
    }

    /// A channel of somebody with this trust, who expects that.
    pub(crate) fn channel(&self, trust: &Arc<Trust>, expected: Expected) -> Channel {
        let uri = format!("https://{}", self.address).parse().unwrap();
        Connector::endpoint(&uri).connect_with_connector_lazy(Connector::new(Arc::clone(trust), expected))
    }

    /// A channel of somebody who has no certificate and speaks plain text.
    pub(crate) fn plain(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy()
    }
}

/// Asks whether it is healthy; what went wrong, with all its causes.
pub(crate) async fn ask(channel: Channel) -> Result<(), String> {
    let request = tonic_health::pb::HealthCheckRequest::default();
    let mut client = HealthClient::new(channel);
    let answer = tokio::time::timeout(PATIENCE, client.check(request)).await.expect("an answer or an error");
    answer.map(drop).map_err(|status| {
        let mut said = format!("{:?}: {}", status.code(), status.message());
        let mut source = std::error::Error::source(&status);
        while let Some(cause) = source {
            said.extend([": ", &cause.to_string()]);
            source = cause.source();
        }
        said
    })
}
