//! Each limit ends what it is for, and says its name.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use forward::{BodyError, Forward as _, ForwardError, Limit};
use forward_http::egress::Resolve;
use provider_sim::{Act, Cut, Match, Script, recording};

use crate::house::{FACES, House, KEY, forwarder, loopback, read, stream, target, unary};

const SHORT: Duration = Duration::from_millis(150);

#[tokio::test]
async fn first_byte_and_total_before_the_head() {
    for face in FACES {
        let house = House::open(face).await;
        house.sim.script(Match::any(), Script::act(Act::Never));
        let mut call = stream(forward::full("{}"));
        call.head.limits.first_byte = SHORT;
        let error = house.ask(call).await.unwrap_err();
        assert_eq!(error, ForwardError::TimedOut { limit: Limit::FirstByte, after: SHORT });
        assert!(house.sim.wait_for_end(1).await.unwrap().how.by_peer(), "the provider is let go");
        let mut call = unary(forward::full("{}"));
        call.head.limits.total = Some(SHORT);
        let error = house.ask(call).await.unwrap_err();
        assert_eq!(error, ForwardError::TimedOut { limit: Limit::Total, after: SHORT });
    }
}

#[tokio::test]
async fn idle_and_total_in_the_body() {
    let recorded = recording("stream_usage_cumulative_2.5_flash").unwrap();
    for face in FACES {
        for limit in [Limit::Idle, Limit::Total] {
            let house = House::open(face).await;
            house.sim.script(Match::any(), Script::default().cut(100, Cut::Silence));
            let mut call = stream(forward::full("{}"));
            match limit {
                Limit::Idle => call.head.limits.idle = SHORT,
                _ => call.head.limits.total = Some(Duration::from_secs(2)),
            }
            let (came, error) = read(house.ask(call).await.unwrap().body).await;
            assert_eq!((&came[..], error), (&recorded[..100], Some(BodyError::TimedOut(limit))));
            assert!(house.sim.wait_for_end(1).await.unwrap().how.by_peer());
        }
    }
}

/// A resolver that never has an answer.
struct Mute;

#[async_trait::async_trait]
impl Resolve for Mute {
    async fn resolve(&self, _name: &str, _port: u16) -> io::Result<Vec<SocketAddr>> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn connect() {
    let (forwarder, known) = forwarder(loopback(), Arc::new(Mute));
    known.put(target(1, "https://provider.example", KEY));
    let mut call = unary(forward::full("{}"));
    call.head.limits.connect = SHORT;
    let error = forwarder.forward(call).await.unwrap_err();
    assert_eq!(error, ForwardError::TimedOut { limit: Limit::Connect, after: SHORT });
    assert!(error.certainly_not_acted());
}
