//! Several targets: split and fallback, tried only while nothing was said to the client.

use std::time::Duration;

use bytes::Bytes;
use edge::Config;
use forward::{BodyError, ForwardError, Limit};

use crate::{
    client::{Client, SSE, UNARY, get, post},
    rig::{End, Reply, Rig, mapping},
};

/// `first` for the primary, 200 for the fallback: status and attempt of the answer, and how many calls were made.
async fn after(first: Reply, path: &str) -> (u16, Option<String>, usize) {
    let rig = Rig::new().await;
    let good = if path.contains("alt=sse") {
        let event = Bytes::from_static(b"data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\r\n\r\n");
        Reply::frames("text/event-stream", [event], End::Clean)
    } else {
        Reply::json(200, "{}")
    };
    rig.plays(move |head| if head.mapping == mapping(2) { first.clone() } else { good.clone() });
    let mut client = Client::connect(rig.address).await;
    let reply = client.ask(&post(&path.replace("chat", "backed"), "", b"{\"a\":1}")).await;
    for seen in rig.seen() {
        assert_eq!(seen.body.as_deref(), Ok(b"{\"a\":1}".as_slice()), "every target gets the whole body");
    }
    (reply.status, reply.field("keyward-attempt").map(str::to_owned), rig.seen().len())
}

#[tokio::test]
async fn what_another_target_may_mend_is_tried_there() {
    let connect = ForwardError::TimedOut { limit: Limit::Connect, after: Duration::from_secs(1) };
    let mut firsts: Vec<Reply> = [401, 402, 403, 408, 429, 500, 502, 503, 504, 529]
        .into_iter()
        .map(|status| Reply::json(status, "{}"))
        .collect();
    firsts.extend(
        [
            ForwardError::UnknownTarget,
            ForwardError::Misconfigured("gone"),
            ForwardError::DestinationBlocked,
            ForwardError::Unreachable("refused"),
            ForwardError::ForwarderUnavailable,
            connect,
        ]
        .map(Reply::Fails),
    );
    for first in firsts {
        for path in [UNARY, SSE] {
            assert_eq!(after(first.clone(), path).await, (200, Some("2".to_owned()), 2), "{first:?}");
        }
    }
}

#[tokio::test]
async fn the_callers_own_mistakes_and_what_may_have_happened_are_not_repeated() {
    for status in [400, 404, 409, 413, 422] {
        let attempt = Some("1".to_owned());
        assert_eq!(after(Reply::json(status, "{}"), UNARY).await, (status, attempt, 1));
    }
    let slow = ForwardError::TimedOut { limit: Limit::FirstByte, after: Duration::from_secs(1) };
    for (error, status) in
        [(ForwardError::Disconnected, 502), (ForwardError::Garbled("redirect"), 502), (slow, 504)]
    {
        assert_eq!(after(Reply::Fails(error), UNARY).await, (status, None, 1));
    }
}

#[tokio::test]
async fn nothing_is_tried_after_the_first_byte() {
    let first = Bytes::from_static(b"data: {\"candidates\":[]}\r\n\r\n");
    let broken = Reply::frames("text/event-stream", [first], End::With(BodyError::Broken("test")));
    assert_eq!(after(broken, SSE).await, (200, Some("1".to_owned()), 1));
}

#[tokio::test]
async fn the_last_targets_refusal_is_passed_on() {
    let rig = Rig::new().await;
    rig.replies(Reply::json(503, r#"{"who":"last"}"#));
    let mut client = Client::connect(rig.address).await;
    let reply = client.ask(&post(&UNARY.replace("chat", "backed"), "", b"{}")).await;
    assert_eq!((reply.status, reply.text().as_str()), (503, r#"{"who":"last"}"#));
    assert_eq!(reply.field("keyward-target"), Some(mapping(3).as_str()));
    assert_eq!(rig.seen().len(), 2);
    assert_eq!(rig.metric(r#"keyward_fallbacks_total{reason="refused",face="call"}"#), "1");
}

#[tokio::test]
async fn a_body_too_large_to_keep_gets_one_attempt_and_says_so() {
    let mut config = Config::default();
    config.requests.replay_body_max = 1024;
    let rig = Rig::with(config).await;
    rig.replies(Reply::json(503, "{}"));
    let mut client = Client::connect(rig.address).await;
    let body = vec![b'x'; 1025];
    let reply = client.ask(&post(&UNARY.replace("chat", "backed"), "", &body)).await;
    assert_eq!((reply.status, reply.field("keyward-single-attempt")), (503, Some("body-not-kept")));
    assert_eq!(rig.seen().len(), 1);
    assert_eq!(rig.seen()[0].body.as_deref(), Ok(body.as_slice()));
}

#[tokio::test]
async fn what_lies_at_a_provider_is_asked_for_at_one_target_alone() {
    let rig = Rig::new().await;
    rig.replies(Reply::json(503, "{}"));
    let mut client = Client::connect(rig.address).await;
    let reply = client.ask(&get("/gateway/backed/gemini/v1beta/files")).await;
    assert_eq!((reply.status, reply.field("keyward-target")), (503, Some(mapping(2).as_str())));
    for _ in 0..8 {
        client.ask(&get("/gateway/split/gemini/v1beta/files")).await;
    }
    assert!(rig.seen().iter().all(|seen| seen.head.mapping != mapping(3) && seen.head.mapping != mapping(5)));
}

#[tokio::test]
async fn a_key_that_was_refused_is_passed_over_and_the_operator_is_told() {
    let rig = Rig::new().await;
    rig.plays(|head| Reply::json(if head.mapping == mapping(2) { 401 } else { 200 }, "{}"));
    let mut client = Client::connect(rig.address).await;
    for (attempt, calls) in [("2", 2), ("1", 3), ("1", 4)] {
        let reply = client.ask(&post(&UNARY.replace("chat", "backed"), "", b"{}")).await;
        assert_eq!((reply.status, reply.field("keyward-attempt")), (200, Some(attempt)));
        assert_eq!((reply.field("keyward-target"), rig.seen().len()), (Some(mapping(3).as_str()), calls));
    }
    assert_eq!(rig.metric(r#"keyward_refusals_total{reason="provider_key",face="provider"}"#), "1");
}

#[tokio::test]
async fn a_target_that_asks_for_rest_gets_it_and_an_only_one_is_asked_all_the_same() {
    let rig = Rig::new().await;
    rig.plays(|head| {
        if head.mapping == mapping(3) {
            return Reply::json(200, "{}");
        }
        let headers = vec![("retry-after", "600".to_owned())];
        Reply::Answer { status: 429, headers, frames: Vec::new(), end: End::Clean }
    });
    let mut client = Client::connect(rig.address).await;
    for attempt in ["2", "1", "1"] {
        let reply = client.ask(&post(&UNARY.replace("chat", "backed"), "", b"{}")).await;
        assert_eq!((reply.status, reply.field("keyward-attempt")), (200, Some(attempt)));
    }
    for _ in 0..3 {
        let reply = client.ask(&post(UNARY, "", b"{}")).await;
        assert_eq!((reply.status, reply.field("retry-after")), (429, Some("600")));
    }
    assert_eq!(rig.seen().len(), 7);
}

const CALLS: usize = 500;

#[tokio::test]
async fn a_total_outage_is_hardly_amplified() {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    for failure in [Reply::json(503, "{}"), Reply::Fails(ForwardError::Unreachable("test"))] {
        rig.replies(failure);
        let before = rig.seen().len();
        for _ in 0..CALLS {
            let reply = client.ask(&post(&UNARY.replace("chat", "backed"), "", b"{}")).await;
            assert!(reply.status >= 500);
        }
        let upstream = rig.seen().len() - before;
        assert!((CALLS..=CALLS * 11 / 10).contains(&upstream), "{upstream} calls for {CALLS}");
    }
}

#[tokio::test]
async fn traffic_splits_by_weight() {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    let mut first = 0;
    for _ in 0..80 {
        let reply = client.ask(&post(&UNARY.replace("chat", "split"), "", b"{}")).await;
        first += u32::from(reply.field("keyward-target") == Some(mapping(4).as_str()));
    }
    assert_eq!(first, 60, "three of four, by a source of bits that runs through all eighths");
}

#[tokio::test]
async fn every_forwarders_failure_has_its_status() {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    let after = Duration::from_secs(1);
    for (error, status) in [
        (ForwardError::UnknownTarget, 503),
        (ForwardError::Misconfigured("gone"), 503),
        (ForwardError::DestinationBlocked, 502),
        (ForwardError::Unreachable("refused"), 502),
        (ForwardError::TimedOut { limit: Limit::FirstByte, after }, 504),
        (ForwardError::TimedOut { limit: Limit::Total, after }, 504),
        (ForwardError::Disconnected, 502),
        (ForwardError::Garbled("redirect"), 502),
        (ForwardError::ForwarderUnavailable, 503),
        (ForwardError::Internal, 500),
    ] {
        rig.replies(Reply::Fails(error.clone()));
        let reply = client.ask(&post(UNARY, "", b"{}")).await;
        let is_final = matches!(error, ForwardError::Misconfigured(_));
        assert_eq!(reply.field("x-should-retry"), is_final.then_some("false"), "{error}");
        assert_eq!(reply.gemini_refusal(status), error.to_string());
    }
}

/// The edge is told of usable targets only: what it says holds for both reasons that there may be.
#[tokio::test]
async fn an_endpoint_without_a_target_says_what_may_be_wrong_and_is_not_asked_again() {
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    let reply = client.ask(&post(&UNARY.replace("chat", "bare"), "", b"{}")).await;
    assert_eq!(reply.field("x-should-retry"), Some("false"));
    let said = reply.gemini_refusal(503);
    assert!(
        said.contains("none is attached") && said.contains("secret") && said.contains("deleted"),
        "{said}"
    );
}
