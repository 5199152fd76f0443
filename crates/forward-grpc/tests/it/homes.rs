//! Three homes of a forwarder, and how to get there.

use std::sync::Arc;

use forward::{Answer, Call, Forward, ForwardError, suite::Home};
use forward_grpc::{Extract, Inject, Remote, channel, serve, server, tuned};
use hyper_util::rt::TokioIo;
use tokio::{
    io::DuplexStream,
    net::{TcpListener, TcpStream},
    sync::{Mutex, mpsc},
    task::JoinSet,
};
use tokio_stream::{
    StreamExt as _,
    wrappers::{ReceiverStream, TcpListenerStream},
};
use tonic::{
    service::Routes,
    transport::{Endpoint, Uri},
};

/// The forwarder itself.
pub(crate) struct InProcess;

/// Behind gRPC, without a socket.
pub(crate) struct InMemory;

/// Behind gRPC, over loopback.
pub(crate) struct OverTcp;

/// A way to a forwarder, with the server at its end, which ends with it.
pub(crate) struct Way {
    remote: Remote,
    /// Ends with the way.
    _server: JoinSet<()>,
}

#[async_trait::async_trait]
impl Forward for Way {
    async fn forward(&self, call: Call) -> Result<Answer, ForwardError> {
        self.remote.forward(call).await
    }
}

#[async_trait::async_trait]
impl Home for InProcess {
    async fn house(&self, forwarder: Arc<dyn Forward>) -> Arc<dyn Forward> {
        forwarder
    }
}

#[async_trait::async_trait]
impl Home for InMemory {
    async fn house(&self, forwarder: Arc<dyn Forward>) -> Arc<dyn Forward> {
        Arc::new(in_memory(forwarder, None, None).await)
    }
}

#[async_trait::async_trait]
impl Home for OverTcp {
    async fn house(&self, forwarder: Arc<dyn Forward>) -> Arc<dyn Forward> {
        Arc::new(over_tcp(forwarder).await)
    }
}

pub(crate) async fn in_memory(
    forwarder: Arc<dyn Forward>,
    extract: Option<Extract>,
    inject: Option<Inject>,
) -> Way {
    const PIPE: usize = 64 * 1024;
    let routes = serve(forwarder, extract).await;
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
    let channel = tuned(Endpoint::from_static("http://memory")).connect_with_connector_lazy(connector);
    Way { remote: Remote::new(channel, inject), _server: serving }
}

pub(crate) async fn over_tcp(forwarder: Arc<dyn Forward>) -> Way {
    let (endpoint, serving) = listening(serve(forwarder, None).await).await;
    Way { remote: Remote::new(channel(endpoint), None), _server: serving }
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

async fn listener() -> (TcpListener, Endpoint) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{}", listener.local_addr().unwrap())).unwrap();
    (listener, endpoint)
}

/// Something that is there at most once.
pub(crate) type Once<T> = Mutex<Option<T>>;
