//! Calls go where the operator lets them, whatever a target says.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use forward::{Forward as _, ForwardError};
use forward_http::{Config, egress::Resolve};
use parking_lot::Mutex;

use crate::house::{Face, House, KEY, forwarder, loopback, target, unary, whole};

/// Answers one list after the other, the last one for good.
struct Answers(Mutex<Vec<Vec<IpAddr>>>);

impl Answers {
    fn of(lists: &[&[&str]]) -> Arc<Self> {
        let parse = |list: &&[&str]| list.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(lists.iter().map(parse).collect())))
    }
}

#[async_trait::async_trait]
impl Resolve for Answers {
    async fn resolve(&self, _name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let mut lists = self.0.lock();
        let list = if lists.len() > 1 { lists.remove(0) } else { lists[0].clone() };
        Ok(list.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }
}

#[tokio::test]
async fn literal_addresses_in_every_spelling() {
    let (forwarder, known) = forwarder(Config::default(), Answers::of(&[&["127.0.0.1"]]));
    for base in [
        "http://127.0.0.1",
        "https://127.0.0.1",
        "https://127.1",
        "https://2130706433",
        "https://0x7f000001",
        "https://0177.0.0.1",
        "https://[::1]",
        "https://[::ffff:127.0.0.1]",
        "https://[::ffff:7f00:1]",
        "https://169.254.169.254",
        "https://10.0.0.1",
        "https://localhost",
        "https://metadata.google.internal",
        "https://8.8.8.8:8443",
        "https://provider.example",
    ] {
        known.put(target(1, base, KEY));
        let error = forwarder.forward(unary(forward::full("{}"))).await.unwrap_err();
        assert_eq!(error, ForwardError::DestinationBlocked, "{base}");
    }
}

#[tokio::test]
async fn names_count_by_all_their_addresses() {
    for addresses in [&["10.0.0.1"][..], &["8.8.8.8", "127.0.0.1"], &["::1"], &["64:ff9b::7f00:1"]] {
        let (forwarder, known) = forwarder(Config::default(), Answers::of(&[addresses]));
        known.put(target(1, "https://provider.example", KEY));
        let error = forwarder.forward(unary(forward::full("{}"))).await.unwrap_err();
        assert_eq!(error, ForwardError::DestinationBlocked, "{addresses:?}");
    }
}

#[tokio::test]
async fn a_name_that_moves_is_judged_where_it_is() {
    let house = House::open(Face::Http1).await;
    let port = house.base.rsplit(':').next().unwrap();
    let (forwarder, known) = forwarder(loopback(), Answers::of(&[&["127.0.0.1"], &["10.0.0.1"]]));
    for number in [1, 2] {
        // Two secrets, so that the second call makes a connection of its own.
        known.put(target(number, &format!("http://provider.example:{port}"), KEY));
    }
    whole(forwarder.forward(unary(forward::full("{}"))).await.unwrap().body).await;
    let mut call = unary(forward::full("{}"));
    call.head.mapping = names::MappingId::from_random(2);
    assert_eq!(forwarder.forward(call).await.unwrap_err(), ForwardError::DestinationBlocked);
    assert_eq!(house.sim.requests().len(), 1);
}

#[tokio::test]
async fn a_secret_goes_to_its_own_hosts_only() {
    let house = House::open(Face::Http1).await;
    for hosts in [vec![], vec!["generativelanguage.googleapis.com".to_owned()]] {
        let mut elsewhere = target(1, &house.base, KEY);
        elsewhere.credential.allowed_hosts = hosts;
        house.known.put(elsewhere);
        let error = house.ask(unary(forward::full("{}"))).await.unwrap_err();
        assert_eq!(error, ForwardError::DestinationBlocked);
    }
    assert!(house.sim.connections().is_empty());
}

#[tokio::test]
async fn an_authority_that_nobody_trusts_is_not_reached() {
    let house = House::open(Face::Http2).await;
    let (forwarder, known) = forwarder(loopback(), Answers::of(&[&["127.0.0.1"]]));
    known.put(target(1, &house.base, KEY));
    let error = forwarder.forward(unary(forward::full("{}"))).await.unwrap_err();
    assert_eq!(error, ForwardError::Unreachable("the TLS handshake failed"));
    assert!(house.sim.requests().is_empty());
}
