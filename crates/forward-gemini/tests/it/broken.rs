//! What breaks is an error, and never a clean end.

use forward::{BodyError, ForwardError};
use provider_sim::{Act, Cut, Framing, Match, Script, recording};

use crate::house::{FACES, Face, House, read, stream, unary};

#[tokio::test]
async fn a_cut_answer_never_ends_well() {
    let recorded = recording("stream_usage_cumulative_2.5_flash").unwrap();
    for face in FACES {
        let house = House::open(face).await;
        for how in [Cut::Close, Cut::Reset] {
            for at in [0, 1, 100, recorded.len() - 1, recorded.len()] {
                house.sim.script_once(Match::any(), Script::default().cut(at, how));
                match house.ask(stream(forward::full("{}"))).await {
                    Ok(answer) => {
                        let (came, error) = read(answer.body).await;
                        assert!(recorded.starts_with(&came), "{face:?} {how:?} {at}");
                        assert!(
                            matches!(error, Some(BodyError::Broken(_))),
                            "{face:?} {how:?} {at}: {error:?}"
                        );
                    }
                    // A reset may overtake the head that stood before it.
                    Err(error) => assert_eq!((error, how), (ForwardError::Disconnected, Cut::Reset)),
                }
            }
        }
    }
}

#[tokio::test]
async fn a_length_that_is_not_reached_is_an_error() {
    for face in FACES {
        let house = House::open(face).await;
        house.sim.script(Match::any(), Script::default().framing(Framing::Wrong(5)));
        let answer = house.ask(unary(forward::full("{}"))).await.unwrap();
        let (_, error) = read(answer.body).await;
        assert!(matches!(error, Some(BodyError::Broken(_))), "{face:?} {error:?}");
    }
}

#[tokio::test]
async fn no_answer_is_told_from_a_garbled_one_and_neither_is_asked_twice() {
    for (act, said) in [
        (Act::CloseBeforeBody, ForwardError::Disconnected),
        (Act::CloseAfterBody, ForwardError::Disconnected),
        (Act::ResetAfterBody, ForwardError::Disconnected),
        (Act::Raw("HTTP/9.9 nonsense\r\n\r\n".to_owned()), ForwardError::Garbled("its head is malformed")),
        (Act::Raw("HTTP/1.1 200".to_owned()), ForwardError::Disconnected),
    ] {
        let house = House::open(Face::Http1).await;
        house.sim.script(Match::any(), Script::act(act.clone()));
        let error = house.ask(unary(forward::full("{}"))).await.unwrap_err();
        assert_eq!(error, said, "{act:?}");
        assert!(!error.certainly_not_acted());
        assert_eq!(house.sim.requests().len(), 1, "{act:?}");
    }
}

#[tokio::test]
async fn a_refused_stream_was_certainly_not_acted_on() {
    let house = House::open(Face::Http2).await;
    house.sim.script(Match::any(), Script::act(Act::Refuse));
    let error = house.ask(unary(forward::full("{}"))).await.unwrap_err();
    assert!(matches!(error, ForwardError::Unreachable(_)) && error.certainly_not_acted(), "{error:?}");
}
