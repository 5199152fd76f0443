//! When the caller lets go, the provider sees it: the connection closes, or the stream is reset.

use std::collections::HashSet;

use futures_util::future::join_all;
use http_body_util::BodyExt as _;
use provider_sim::{Ending, Match, Script};

use crate::house::{FACES, Face, House, stream};

fn expected(face: Face, how: Ending) -> bool {
    match face {
        Face::Http1 => how.by_peer(),
        Face::Http2 => matches!(how, Ending::PeerReset(Some(_))),
    }
}

#[tokio::test]
async fn before_the_head() {
    for face in FACES {
        let house = House::open(face).await;
        house.sim.script(Match::any(), Script::default().gate_head("head"));
        let calling = house.ask(stream(forward::full("{}")));
        let gate = house.sim.gate("head");
        tokio::select! {
            _ = calling => panic!("there was no answer to have"),
            reached = gate.reached(1) => reached.unwrap(),
        }
        let ended = house.sim.wait_for_end(1).await.unwrap();
        assert!(expected(face, ended.how), "{face:?} {ended:?}");
        assert_eq!(house.sim.requests()[0].status, None);
    }
}

#[tokio::test]
async fn in_the_middle_of_the_answer() {
    for face in FACES {
        for read_first in [false, true] {
            let house = House::open(face).await;
            house.sim.script(Match::any(), Script::default().pause(100, "middle"));
            let mut answer = house.ask(stream(forward::full("{}"))).await.unwrap();
            house.sim.gate("middle").reached(1).await.unwrap();
            if read_first {
                answer.body.frame().await.unwrap().unwrap();
            }
            drop(answer);
            let ended = house.sim.wait_for_end(1).await.unwrap();
            assert!(expected(face, ended.how), "{face:?} {ended:?}");
        }
    }
}

#[tokio::test]
async fn one_stream_reset_leaves_the_others_alone() {
    let house = House::open(Face::Http2).await;
    house.sim.script_once(Match::any(), Script::default().pause(100, "middle"));
    house.sim.script_once(Match::any(), Script::default().pause(100, "other"));
    let dropped = house.ask(stream(forward::full("{}"))).await.unwrap();
    let kept = house.ask(stream(forward::full("{}"))).await.unwrap();
    drop(dropped);
    house.sim.wait_for_end(1).await.unwrap();
    house.sim.gate("other").open();
    let whole = crate::house::whole(kept.body).await;
    assert_eq!(whole, provider_sim::recording("stream_usage_cumulative_2.5_flash").unwrap());
    assert_eq!(house.sim.requests()[0].connection, house.sim.requests()[1].connection);
}

/// Above what h2 remembers by itself (50 streams), and together above the mistakes that it takes (1024).
#[tokio::test]
async fn thousands_of_streams_reset_leave_the_others_alone() {
    const AT_ONCE: usize = 100;
    const ROUNDS: usize = 25;
    let house = House::open(Face::Http2).await;
    house.sim.script_once(Match::any(), Script::default().pause(100, "kept"));
    house.sim.script(Match::any(), Script::bytes(vec![b'x'; 512 << 10]));
    let kept = house.ask(stream(forward::full("{}"))).await.unwrap();
    for _ in 0..ROUNDS {
        let answers = join_all((0..AT_ONCE).map(|_| house.ask(stream(forward::full("{}"))))).await;
        let mut bodies: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().body).collect();
        join_all(bodies.iter_mut().map(|body| body.frame())).await;
    }
    house.sim.gate("kept").open();
    let whole = crate::house::whole(kept.body).await;
    assert_eq!(whole, provider_sim::recording("stream_usage_cumulative_2.5_flash").unwrap());
    let connections: HashSet<_> =
        house.sim.requests().into_iter().map(|request| request.connection).collect();
    assert_eq!(connections.len(), 1, "nobody had to make another connection");
}
