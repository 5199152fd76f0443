//! Ways to a store: behind gRPC without a socket, and over loopback.

use std::sync::Arc;

use hyper_util::rt::TokioIo;
use store::{Admin, Callers, Catalog, Store, Vault, suite::Seams};
use store_grpc::{Remote, channel, serve, server, tuned};
use tokio::{
    io::DuplexStream,
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
};
use tokio_stream::{
    StreamExt as _,
    wrappers::{ReceiverStream, TcpListenerStream},
};
use tokio_util::sync::CancellationToken;
use tonic::{
    service::Routes,
    transport::{Channel, Endpoint, Uri},
};

pub(crate) async fn in_memory(store: Store) -> Seams {
    let (channel, serving) = duplex(routes(Arc::new(store), CancellationToken::new()).await);
    seams(Remote::new(channel, None), serving)
}

pub(crate) async fn over_tcp(store: Store) -> Seams {
    let (endpoint, serving) = listening(routes(Arc::new(store), CancellationToken::new()).await).await;
    seams(Remote::new(channel(endpoint), None), serving)
}

fn seams(remote: Remote, serving: JoinSet<()>) -> Seams {
    let remote = Arc::new(remote);
    Seams {
        admin: remote.clone(),
        catalog: remote.clone(),
        vault: remote.clone(),
        callers: remote,
        guard: Box::new(serving),
    }
}

pub(crate) async fn routes<S: Admin + Catalog + Vault + Callers>(
    store: Arc<S>,
    stop: CancellationToken,
) -> Routes {
    serve(store.clone(), store.clone(), store.clone(), store, None, stop).await
}

/// A server of these routes, without a socket; it ends with the set.
pub(crate) fn duplex(routes: Routes) -> (Channel, JoinSet<()>) {
    const PIPE: usize = 64 * 1024;
    let (dial, dialled) = mpsc::channel::<DuplexStream>(1);
    let mut serving = JoinSet::new();
    let incoming = ReceiverStream::new(dialled).map(Ok::<_, std::io::Error>);
    serving.spawn(async move {
        server().add_routes(routes).serve_with_incoming(incoming).await.unwrap();
    });
    let connector = tower::service_fn(move |_: Uri| {
        let dial = dial.clone();
        async move {
            let (near, far) = tokio::io::duplex(PIPE);
            dial.send(far).await.map_err(std::io::Error::other)?;
            Ok::<_, std::io::Error>(TokioIo::new(near))
        }
    });
    (tuned(Endpoint::from_static("http://memory")).connect_with_connector_lazy(connector), serving)
}

/// A server of these routes on loopback; it ends with the set.
pub(crate) async fn listening(routes: Routes) -> (Endpoint, JoinSet<()>) {
    let (listener, endpoint) = listener().await;
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        server().add_routes(routes).serve_with_incoming(TcpListenerStream::new(listener)).await.unwrap();
    });
    (endpoint, serving)
}

/// A line to a server that can be cut, as when the server's machine dies.
pub(crate) async fn line_to(server: &Endpoint) -> (Endpoint, JoinSet<()>) {
    let (listener, endpoint) = listener().await;
    let far = server.uri().authority().unwrap().to_string();
    let mut line = JoinSet::new();
    line.spawn(async move {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut far = TcpStream::connect(far).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    });
    (endpoint, line)
}

pub(crate) async fn listener() -> (TcpListener, Endpoint) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{}", listener.local_addr().unwrap())).unwrap();
    (listener, endpoint)
}
