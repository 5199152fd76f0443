//! TLS on a listener: HTTP/2 and HTTP/1.1 by ALPN, and what is not TLS (B04, B07).

use std::{sync::Arc, time::Duration};

use edge::Config;
use rustls::{ClientConfig, RootCertStore, ServerConfig, crypto::aws_lc_rs, pki_types::PrivatePkcs8KeyDer};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinSet};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    client::{Client, UNARY, get, post},
    rig::{Rig, Wanted},
};

/// A server's configuration, and one of a client that trusts it.
fn configs() -> (Arc<ServerConfig>, ClientConfig) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let server =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let server = server.unwrap().with_no_client_auth();
    let server = server.with_single_cert(vec![certificate.clone()], key.into()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    (Arc::new(server), client.unwrap().with_root_certificates(roots).with_no_client_auth())
}

async fn connect(rig: &Rig, mut config: ClientConfig, protocols: &[&str]) -> TlsStream<TcpStream> {
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let socket = TcpStream::connect(rig.address).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), socket).await.unwrap()
}

#[tokio::test]
async fn both_versions_of_http_by_alpn() {
    let (server, client) = configs();
    let rig = Rig::wanted(Wanted { tls: Some(server), ..Wanted::default() }).await;
    for protocols in [&["http/1.1"] as &[&str], &[]] {
        let stream = connect(&rig, client.clone(), protocols).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), protocols.first().map(|protocol| protocol.as_bytes()));
        let mut http1 = Client::over(stream);
        assert_eq!(http1.ask(&post(UNARY, "", b"{}")).await.status, 200);
        assert_eq!(http1.ask(&get("/livez")).await.status, 200);
    }
    let stream = connect(&rig, client, &["h2", "http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let (http2, connection) = h2::client::handshake(stream).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let request = http::Request::post(format!("https://localhost{UNARY}")).body(()).unwrap();
    let (response, mut body) = http2.ready().await.unwrap().send_request(request, false).unwrap();
    body.send_data(bytes::Bytes::from_static(b"{}"), true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
    assert_eq!(rig.seen().pop().unwrap().body.as_deref(), Ok(b"{}".as_slice()));
}

#[tokio::test]
async fn what_is_not_tls_is_not_answered_in_the_clear() {
    let (server, client) = configs();
    let mut config = Config::default();
    config.connections.tls_handshake = Duration::from_millis(200);
    let rig = Rig::wanted(Wanted { config, tls: Some(server), ..Wanted::default() }).await;
    let mut plain = Client::connect(rig.address).await;
    plain.send(&get("/livez")).await;
    let said = plain.end().await;
    assert!(!said.starts_with(b"HTTP"), "B04: {said:?}");
    let mut stalled = TcpStream::connect(rig.address).await.unwrap();
    stalled.write_all(&[0x16, 3, 1]).await.unwrap();
    assert!(Client::over(stalled).end().await.is_empty(), "B07");
    let rig = Rig::new().await;
    let mut socket = TcpStream::connect(rig.address).await.unwrap();
    let hello =
        TlsConnector::from(Arc::new(client)).connect("localhost".try_into().unwrap(), &mut socket).await;
    assert!(hello.is_err(), "B04: a plain listener does not speak TLS");
}
