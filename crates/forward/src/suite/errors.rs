//! Failures keep their reason, and what broke never looks complete.

use std::{mem::discriminant, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};

use super::{
    Home, ask, call, exactly,
    fakes::{Echoes, Reads, Says, answer},
    next,
};
use crate::{Body, BodyError, ForwardError, Limit};

/// Every error, with its limit and its figures. A sentence inside may be lost; what the caller can do about it not.
pub async fn errors_arrive_as_they_are(home: &dyn Home) {
    let after = Duration::from_millis(1234);
    let timed_out = Limit::ALL.map(|limit| ForwardError::TimedOut { limit, after });
    let others = [
        ForwardError::UnknownTarget,
        ForwardError::Misconfigured("its secret is gone"),
        ForwardError::KeyRefused("its identity service refuses its secret"),
        ForwardError::DestinationBlocked,
        ForwardError::Unreachable("no connection could be made"),
        ForwardError::Disconnected,
        ForwardError::Garbled("it redirects"),
        ForwardError::RequestBroken,
        ForwardError::TooLarge { max: 7 },
        ForwardError::ForwarderUnavailable,
        ForwardError::Internal,
    ];
    for said in timed_out.into_iter().chain(others) {
        let forward = home.house(Says::this(Err(said.clone()))).await;
        let came = ask(&*forward, call(crate::full("x"))).await.unwrap_err();
        assert_eq!(discriminant(&came), discriminant(&said), "{came:?} for {said:?}");
        assert_eq!((came.fault(), came.certainly_not_acted()), (said.fault(), said.certainly_not_acted()));
        if let ForwardError::TimedOut { .. } | ForwardError::TooLarge { .. } = said {
            assert_eq!(came, said);
        }
    }
}

/// A body that breaks, at once or behind some bytes, breaks on the other side for the same reason, after those bytes.
pub async fn a_broken_answer_keeps_its_reason(home: &dyn Home) {
    let timed_out = Limit::ALL.map(BodyError::TimedOut);
    let others = [
        BodyError::Broken("the provider closed the connection early"),
        BodyError::TooLarge { max: 9 },
        BodyError::Draining,
    ];
    for said in timed_out.into_iter().chain(others) {
        for before in ["", "some"] {
            let forward = home.house(Says::this(Ok(answer(breaking(before, said.clone()))))).await;
            let mut came = ask(&*forward, call(crate::empty())).await.unwrap();
            assert_eq!(exactly(&mut came.body, before.len()).await, before);
            let error = next(&mut came.body).await.unwrap().unwrap_err();
            assert_eq!(discriminant(&error), discriminant(&said), "{error:?} for {said:?}");
            if !matches!(said, BodyError::Broken(_)) {
                assert_eq!(error, said);
            }
        }
    }
}

/// A request that breaks is never read as one that ended, whether its answer has begun or not.
pub async fn a_broken_request_never_looks_complete(home: &dyn Home) {
    for (why, said) in [
        (BodyError::Broken("the client went away"), ForwardError::RequestBroken),
        (BodyError::TooLarge { max: 11 }, ForwardError::TooLarge { max: 11 }),
    ] {
        let reads = Reads::freely();
        let forward = home.house(reads.clone()).await;
        let came = ask(&*forward, call(breaking("some", why.clone()))).await.unwrap_err();
        assert_eq!(came, said);
        assert!(!reads.seen.borrow().1, "the forwarder saw a clean end");

        let forward = home.house(Arc::new(Echoes)).await;
        match ask(&*forward, call(breaking("some", why))).await {
            Err(came) => assert_eq!(came, said),
            Ok(mut came) => loop {
                match next(&mut came.body).await {
                    Some(Ok(_)) => {}
                    Some(Err(_)) => break,
                    None => panic!("an answer to a broken request ended well"),
                }
            },
        }
    }
}

/// Some bytes, and then an error.
fn breaking(before: &'static str, error: BodyError) -> Body {
    let data = (!before.is_empty()).then(|| Ok(Frame::data(Bytes::from_static(before.as_bytes()))));
    StreamBody::new(stream::iter(data.into_iter().chain([Err(error)]))).boxed_unsync()
}
