//! A store that knows who asks: each service gets what is its own.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use names::Provider;
use secrecy::ExposeSecret as _;
use store::{Admin as _, Catalog, Role, StoreError, Vault, Watcher};
use store_grpc::{Remote, server, tuned};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use trust::{Authority, Connector, Domain, Expected, Files, GuardLayer, Identity, Lifetime, Trust, incoming};

use crate::{fake::Fake, homes::routes};

struct House {
    folder: tempfile::TempDir,
    authority: Authority,
    ca: String,
}

#[expect(clippy::disallowed_methods, reason = "certificates are judged by the real clock")]
fn lifetime() -> Lifetime {
    Lifetime { now: SystemTime::now(), length: Duration::from_hours(24) }
}

impl House {
    fn new() -> Self {
        let (authority, own) = Authority::create(&Domain::default(), lifetime()).unwrap();
        Self { folder: tempfile::tempdir().unwrap(), authority, ca: own.certificate }
    }

    fn trust(&self, identity: &Identity, me: Expected) -> Arc<Trust> {
        let folder = self.folder.path().join(identity.to_string().replace('/', "-"));
        fs::create_dir_all(&folder).unwrap();
        let issued = self.authority.issue(identity, &[], lifetime()).unwrap();
        let write = |file: &str, text: &str| fs::write(Path::join(&folder, file), text).unwrap();
        write("ca.pem", &self.ca);
        write("cert.pem", &issued.certificate);
        write("key.pem", issued.key.expose_secret());
        Trust::load(Files::in_folder(&folder), Domain::default(), me).unwrap().into()
    }

    /// The store, as somebody with this certificate reaches it.
    fn remote(&self, store: SocketAddr, identity: &Identity, me: Expected) -> Remote {
        let uri = format!("https://{store}").parse().unwrap();
        let connector = Connector::new(self.trust(identity, me), Expected::Store);
        let channel = tuned(Connector::endpoint(&uri)).connect_with_connector_lazy(connector);
        Remote::new(channel, None)
    }

    async fn store(&self) -> (SocketAddr, JoinSet<()>) {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let connections = incoming(socket, Some(self.trust(&Identity::Store, Expected::Store)));
        let routes = routes(Fake::new(), CancellationToken::new()).await;
        let serving = server().layer(GuardLayer::default()).add_routes(routes);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { serving.serve_with_incoming(Box::pin(connections)).await.unwrap() });
        (address, tasks)
    }
}

fn provider(name: &str) -> Provider {
    Provider::parse(name).unwrap()
}

#[tokio::test]
async fn a_forwarder_watches_its_own_provider_and_nothing_else() {
    let house = House::new();
    let (store, _serving) = house.store().await;
    let gemini = provider("gemini");
    let remote =
        house.remote(store, &Identity::Forwarder(gemini.clone()), Expected::Forwarder(gemini.clone()));
    let watcher = || Watcher { role: Role::Forwarder, replica: "forwarder-1".to_owned() };
    let watch = |providers| Vault::watch(&remote, watcher(), providers, vec![0; 32], None);
    assert!(watch(vec![gemini.clone()]).await.is_ok());
    for providers in [vec![provider("openai")], vec![gemini, provider("openai")]] {
        assert!(matches!(watch(providers).await, Err(StoreError::Internal)));
        let said = Vault::trouble(&remote).unwrap();
        assert!(said.contains("no right to targets of `openai`"), "{said}");
    }
    let catalog = Watcher { role: Role::Edge, replica: "edge-1".to_owned() };
    assert!(Catalog::watch(&remote, catalog, None).await.is_err());
    assert!(remote.secrets(None).await.is_err());
}

#[tokio::test]
async fn only_an_edge_with_the_admin_plane_reads_and_writes_what_admins_do() {
    let house = House::new();
    let (store, _serving) = house.store().await;
    let edge = house.remote(store, &Identity::Edge, Expected::Edge);
    let admin = house.remote(store, &Identity::EdgeAdmin, Expected::Edge);
    let watcher = || Watcher { role: Role::Edge, replica: "edge-1".to_owned() };
    for remote in [&edge, &admin] {
        assert!(Catalog::watch(remote, watcher(), None).await.is_ok());
        let forwarder = Watcher { role: Role::Forwarder, replica: "edge-1".to_owned() };
        let vault = Vault::watch(remote, forwarder, vec![provider("gemini")], vec![0; 32], None);
        assert!(vault.await.is_err(), "an edge gets no secret, sealed or not");
    }
    assert!(admin.secrets(None).await.is_ok());
    assert!(edge.secrets(None).await.is_err());
}
