//! Dropping is cancelling: what the caller lets go of, the forwarder loses too, and hears of nothing more.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use tokio::sync::oneshot;

use super::{
    Home, ask, call,
    fakes::{Hangs, Plenty, Says, answer},
    given, next, within,
};

/// Before there is an answer.
pub async fn a_dropped_call_is_dropped_there(home: &dyn Home) {
    let (hangs, called, dropped) = Hangs::new(false);
    let forward = home.house(hangs).await;
    let mut calling = forward.forward(call(crate::full("x")));
    tokio::select! {
        _ = &mut calling => panic!("a forwarder that never answers did"),
        called = within("the call", called) => called.unwrap(),
    }
    drop(calling);
    assert!(within("the drop of the call", dropped).await.is_err());
}

/// In the middle of the request's body: the caller's side of the body goes too.
pub async fn a_dropped_upload_is_dropped_there(home: &dyn Home) {
    let (hangs, called, dropped) = Hangs::new(true);
    let forward = home.house(hangs).await;
    let (mut sender, body) = given();
    let mut calling = forward.forward(call(body));
    let beginning = async {
        sender.send_data(Bytes::from_static(b"beginning")).await.unwrap();
        within("the beginning of the body", called).await.unwrap();
    };
    tokio::select! {
        _ = &mut calling => panic!("a forwarder that never answers did"),
        () = beginning => {}
    }
    drop(calling);
    assert!(within("the drop of the call", dropped).await.is_err());
    let more = async { while sender.send_data(Bytes::from_static(b"more")).await.is_ok() {} };
    within("the end of the upload", more).await;
}

/// In the middle of the answer's body, whether its reader was fast or slow.
pub async fn a_dropped_answer_is_dropped_there(home: &dyn Home) {
    for frames in [1, 64] {
        let (tell, dropped) = oneshot::channel();
        let (plenty, _) = Plenty::of(u64::MAX, Bytes::from(vec![7; 64 * 1024]));
        let said = answer(plenty.telling(tell).boxed_unsync());
        let forward = home.house(Says::this(Ok(said))).await;
        let mut came = ask(&*forward, call(crate::empty())).await.unwrap();
        for _ in 0..frames {
            next(&mut came.body).await.unwrap().unwrap();
        }
        drop(came);
        assert!(within("the drop of the answer", dropped).await.is_err());
    }
    // And one that has nothing to say just then: a stream that waits for its model.
    let (sender, body) = given();
    let forward = home.house(Says::this(Ok(answer(body)))).await;
    let came = ask(&*forward, call(crate::empty())).await.unwrap();
    drop(came);
    let mut sender = sender;
    let more = async { while sender.send_data(Bytes::from_static(b"more")).await.is_ok() {} };
    within("the drop of a silent answer", more).await;
    drop(Arc::clone(&forward));
}
