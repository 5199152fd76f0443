//! Connections are kept, by secret; a dead one is no failure.

use provider_sim::{Act, Ending, Match, Script, Sim};

use forward::ForwardError;
use names::MappingId;

use crate::house::{FACES, Face, House, KEY, target, unary, whole};

#[tokio::test]
async fn calls_share_a_connection_and_secrets_do_not() {
    for face in FACES {
        let house = House::open(face).await;
        house.known.put(target(2, &house.base, "another key"));
        for mapping in [1, 1, 2, 1, 2] {
            let mut call = unary(forward::full("{}"));
            call.head.mapping = MappingId::from_random(mapping);
            whole(house.ask(call).await.unwrap().body).await;
        }
        let connections: Vec<_> = house
            .sim
            .requests()
            .iter()
            .map(|received| (received.connection, received.header("x-goog-api-key") == Some(KEY)))
            .collect();
        assert_eq!(connections, [(1, true), (1, true), (2, false), (1, true), (2, false)], "{face:?}");
    }
}

#[tokio::test]
async fn a_new_version_of_a_secret_has_connections_of_its_own() {
    let house = House::open(Face::Http1).await;
    whole(house.ask(unary(forward::full("{}"))).await.unwrap().body).await;
    let mut rotated = target(1, &house.base, "the new key");
    rotated.secret.1 = 2;
    house.known.put(rotated);
    whole(house.ask(unary(forward::full("{}"))).await.unwrap().body).await;
    let second = house.sim.wait_for_request(2).await.unwrap();
    assert_eq!((second.connection, second.header("x-goog-api-key")), (2, Some("the new key")));
    assert_eq!(house.sim.wait_for_disconnect(1).await.unwrap().how, Ending::Complete, "the old one closes");
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced() {
    let mut house = House::open(Face::Http1).await;
    whole(house.ask(unary(forward::full("{}"))).await.unwrap().body).await;
    let port = house.base.rsplit(':').next().unwrap().parse().unwrap();
    drop(std::mem::replace(&mut house.sim, Sim::start().await.unwrap()));
    house.sim = loop {
        // The port is free as soon as the simulator's tasks are gone.
        match Sim::builder().ports([port, 0, 0, 0]).start().await {
            Ok(sim) => break sim,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    whole(house.ask(unary(forward::full("{\"a\": 1}"))).await.unwrap().body).await;
    let received = house.sim.wait_for_request(1).await.unwrap();
    assert_eq!((received.body.as_ref(), house.sim.requests().len()), (b"{\"a\": 1}".as_slice(), 1));
}

#[tokio::test]
async fn a_kept_connection_that_took_the_request_and_closed_is_not_replaced() {
    let house = House::open(Face::Http1).await;
    whole(house.ask(unary(forward::full("{}"))).await.unwrap().body).await;
    house.sim.script(Match::any(), Script::act(Act::CloseAfterBody));
    let error = house.ask(unary(forward::full("{}"))).await.unwrap_err();
    assert_eq!(error, ForwardError::Disconnected);
    let connections: Vec<_> = house.sim.requests().iter().map(|received| received.connection).collect();
    assert_eq!(connections, [1, 1]);
}
