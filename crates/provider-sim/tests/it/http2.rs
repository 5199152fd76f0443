//! HTTP/2, in the clear and over TLS.

use std::sync::Arc;

use bytes::Bytes;
use h2::Reason;
use h2::client::SendRequest;
use http::Request;
use provider_sim::{Act, Cut, Ending, Match, Protocol, Script, Sim, recording};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

fn recorded() -> &'static [u8] {
    recording("stream_usage_cumulative_2.5_flash").unwrap()
}

async fn client(sim: &Sim, tasks: &mut JoinSet<()>) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(sim.http2_url().strip_prefix("http://").unwrap()).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tasks.spawn(async move { drop(connection.await) });
    client.ready().await.unwrap()
}

fn request() -> Request<()> {
    Request::post("http://sim/v1/models/m:streamGenerateContent?alt=sse")
        .header("x-goog-api-key", "k")
        .body(())
        .unwrap()
}

/// Sends a call and reads its answer to the end: status, body, and the error that ended it.
async fn call(client: &mut SendRequest<Bytes>) -> Result<(u16, Vec<u8>, Option<h2::Error>), h2::Error> {
    let (response, mut stream) = client.send_request(request(), false)?;
    // A refused stream takes no body; that is what the answer then says.
    let _ = stream.send_data(Bytes::from_static(b"{}"), true);
    let (head, mut body) = response.await?.into_parts();
    let mut read = Vec::new();
    while let Some(data) = body.data().await {
        match data {
            Ok(data) => {
                body.flow_control().release_capacity(data.len())?;
                read.extend_from_slice(&data);
            }
            Err(error) => return Ok((head.status.as_u16(), read, Some(error))),
        }
    }
    Ok((head.status.as_u16(), read, None))
}

#[tokio::test]
async fn a_stream_comes_as_recorded_and_the_request_is_kept() {
    let (sim, mut tasks) = (Sim::start().await.unwrap(), JoinSet::new());
    let (status, read, error) = call(&mut client(&sim, &mut tasks).await).await.unwrap();
    assert_eq!((status, read.as_slice(), error.is_none()), (200, recorded(), true));
    let received = sim.wait_for_request(1).await.unwrap();
    assert_eq!((received.protocol, received.body.as_ref()), (Protocol::Http2, b"{}".as_slice()));
    assert_eq!(received.headers[0], (":authority".to_owned(), "sim".to_owned()));
    assert_eq!(sim.wait_for_end(1).await.unwrap().how, Ending::Complete);
}

#[tokio::test]
async fn cuts_are_resets_closes_or_ends() {
    let (sim, mut tasks) = (Sim::start().await.unwrap(), JoinSet::new());
    for at in [0, 1, 300, recorded().len()] {
        sim.script_once(Match::any(), Script::default().cut(at, Cut::Reset));
        let (_, read, error) = call(&mut client(&sim, &mut tasks).await).await.unwrap();
        assert_eq!(
            (read.as_slice(), error.unwrap().reason()),
            (&recorded()[..at], Some(Reason::INTERNAL_ERROR))
        );
        sim.script_once(Match::any(), Script::default().cut(at, Cut::Clean));
        let (_, read, error) = call(&mut client(&sim, &mut tasks).await).await.unwrap();
        assert_eq!((read.as_slice(), error.is_none()), (&recorded()[..at], true));
        sim.script_once(Match::any(), Script::default().cut(at, Cut::Close));
        let (_, read, error) = call(&mut client(&sim, &mut tasks).await).await.unwrap();
        assert_eq!((read.as_slice(), error.is_some_and(|error| error.is_io())), (&recorded()[..at], true));
    }
}

#[tokio::test]
async fn a_refused_stream_says_so_and_the_connection_lives() {
    let (sim, mut tasks) = (Sim::start().await.unwrap(), JoinSet::new());
    let mut client = client(&sim, &mut tasks).await;
    sim.script_once(Match::any(), Script::act(Act::Refuse));
    assert_eq!(call(&mut client).await.unwrap_err().reason(), Some(Reason::REFUSED_STREAM));
    assert_eq!(call(&mut client).await.unwrap().0, 200);
    assert_eq!(sim.requests()[1].connection, 1);
}

#[tokio::test]
async fn a_client_that_resets_its_stream_is_seen_with_its_code() {
    let (sim, mut tasks) = (Sim::start().await.unwrap(), JoinSet::new());
    let mut client = client(&sim, &mut tasks).await;
    sim.script(Match::any(), Script::default().pause(50, "middle"));
    let (response, mut stream) = client.send_request(request(), false).unwrap();
    stream.send_data(Bytes::from_static(b"{}"), true).unwrap();
    let response = response.await.unwrap();
    sim.gate("middle").reached(1).await.unwrap();
    drop((response, stream));
    assert_eq!(sim.wait_for_end(1).await.unwrap().how, Ending::PeerReset(Some(Reason::CANCEL.into())));
}

#[tokio::test]
async fn a_client_that_closes_its_connection_is_seen() {
    let (sim, mut tasks) = (Sim::start().await.unwrap(), JoinSet::new());
    let mut client = client(&sim, &mut tasks).await;
    sim.script(Match::any(), Script::default().gate_head("head"));
    let (_response, mut stream) = client.send_request(request(), false).unwrap();
    stream.send_data(Bytes::from_static(b"{}"), true).unwrap();
    sim.gate("head").reached(1).await.unwrap();
    tasks.shutdown().await;
    assert!(sim.wait_for_end(1).await.unwrap().how.by_peer());
    assert!(sim.wait_for_disconnect(1).await.unwrap().how.by_peer());
}

#[tokio::test]
async fn tls_offers_both_protocols_under_its_own_authority() {
    let sim = Sim::start().await.unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(sim.ca_pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    for (offered, chosen) in [(b"h2".to_vec(), Protocol::Http2), (b"http/1.1".to_vec(), Protocol::Http1)] {
        config.alpn_protocols = vec![offered];
        let url = sim.tls_url();
        let port = url.rsplit(':').next().unwrap();
        let stream = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config.clone())).connect(name, stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), config.alpn_protocols.first().map(Vec::as_slice));
        let seen = sim
            .wait_until("the connection", |_, connections| {
                connections.iter().find(|connection| connection.protocol == chosen).cloned()
            })
            .await
            .unwrap();
        assert_eq!((seen.tls, seen.server_name.as_deref()), (true, Some("localhost")));
    }
}
