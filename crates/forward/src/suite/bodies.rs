//! Bodies, both ways: untouched, never held back, never mixed.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};

use super::{
    Home, ask, call, exactly,
    fakes::{Echoes, Reads, Says, answer},
    given, next, pattern, whole, within,
};
use crate::{Body, BodyError};

/// Each frame is read before the next one is sent.
pub async fn frames_pass_as_they_come(home: &dyn Home) {
    let (mut sender, body) = given();
    let forward = home.house(Says::this(Ok(answer(body)))).await;
    let mut came = ask(&*forward, call(crate::empty())).await.unwrap();
    for event in ["data: 1\r\n\r\n", "x", "data: 3\r\n\r\n"] {
        let sending = sender.send_data(Bytes::from_static(event.as_bytes()));
        let (sent, read) = tokio::join!(sending, exactly(&mut came.body, event.len()));
        sent.unwrap();
        assert_eq!(read, event);
    }
    drop(sender);
    assert!(next(&mut came.body).await.is_none());
}

/// What is sent comes back before the request has ended.
pub async fn an_answer_streams_while_its_request_does(home: &dyn Home) {
    let forward = home.house(Arc::new(Echoes)).await;
    let (mut sender, body) = given();
    let mut came = ask(&*forward, call(body)).await.unwrap();
    for word in ["to", "and", "fro"] {
        let sending = sender.send_data(Bytes::from_static(word.as_bytes()));
        let (sent, read) = tokio::join!(sending, exactly(&mut came.body, word.len()));
        sent.unwrap();
        assert_eq!(read, word);
    }
    drop(sender);
    assert!(next(&mut came.body).await.is_none());
}

/// Frames may be split and joined on the way; their bytes are the same.
pub async fn bytes_pass_untouched_in_any_frames(home: &dyn Home) {
    const MIB: usize = 1024 * 1024;
    let forward = home.house(Arc::new(Echoes)).await;
    for frames in
        [vec![1], vec![MIB; 3], vec![1, MIB, 1, 3 * MIB + 1], vec![0, 5, 0], vec![1; 2000], vec![65_537; 9]]
    {
        let sent = pattern(frames.iter().sum());
        let mut rest = sent.clone();
        let pieces: Vec<_> = frames.iter().map(|length| rest.split_to(*length)).collect();
        let mut came = ask(&*forward, call(of(pieces))).await.unwrap();
        assert!(whole(&mut came.body).await == sent, "{} frames changed on their way", frames.len());
    }
}

/// A body without a byte is one that ends, both ways.
pub async fn empty_bodies_end(home: &dyn Home) {
    let reads = Reads::freely();
    let forward = home.house(reads.clone()).await;
    let mut came = ask(&*forward, call(crate::empty())).await.unwrap();
    assert_eq!(whole(&mut came.body).await, "0");
    assert_eq!(*reads.seen.borrow(), (0, true));
    let forward = home.house(Says::this(Ok(answer(crate::empty())))).await;
    let mut came = ask(&*forward, call(crate::full("x"))).await.unwrap();
    assert!(next(&mut came.body).await.is_none());
}

/// Trailers may be lost, for no provider's API has any; the data before them is whole.
pub async fn trailers_do_no_harm(home: &dyn Home) {
    let forward = home.house(Arc::new(Echoes)).await;
    let mut trailers = HeaderMap::new();
    trailers.insert("x-trailer", HeaderValue::from_static("t"));
    let frames = [Ok(Frame::data(Bytes::from_static(b"data"))), Ok(Frame::trailers(trailers))];
    let body = StreamBody::new(stream::iter(frames)).boxed_unsync();
    let mut came = ask(&*forward, call(body)).await.unwrap();
    assert_eq!(whole(&mut came.body).await, "data");
}

/// A refusal comes at once, though the request is still on its way and nobody reads it.
pub async fn an_answer_need_not_wait_for_the_request(home: &dyn Home) {
    let forward = home.house(Says::this(Ok(answer(crate::full("no"))))).await;
    let (mut sender, body) = given();
    let mut came = ask(&*forward, call(body)).await.unwrap();
    assert_eq!(whole(&mut came.body).await, "no");
    drop(came);
    let more = async { while sender.send_data(Bytes::from_static(b"more")).await.is_ok() {} };
    within("the end of an upload that nobody reads", more).await;
}

/// Calls at the same time get each its own answer.
pub async fn calls_do_not_mix(home: &dyn Home) {
    let forward = home.house(Arc::new(Echoes)).await;
    let calls = (1..=100_usize).map(|number| {
        let forward = Arc::clone(&forward);
        async move {
            let sent = pattern(number * 977);
            let pieces = sent.chunks(4096).map(Bytes::copy_from_slice).collect();
            let mut came = ask(&*forward, call(of(pieces))).await.unwrap();
            assert!(whole(&mut came.body).await == sent, "call {number} got something else");
        }
    });
    stream::iter(calls).for_each_concurrent(None, |call| call).await;
}

/// A body of these frames.
fn of(pieces: Vec<Bytes>) -> Body {
    let frames = pieces.into_iter().map(|piece| Ok::<_, BodyError>(Frame::data(piece)));
    StreamBody::new(stream::iter(frames)).boxed_unsync()
}
