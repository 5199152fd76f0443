//! When the caller lets go, the provider sees it: the connection closes, or the stream is reset.

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
