//! Rests and trials, by a clock that stands still.

use http::HeaderValue;
use names::{ModelName, Provider};
use store::Linkage;

use super::*;

fn with_secret(secret: Secret) -> PublishedTarget {
    PublishedTarget {
        mapping: MappingId::from_random(1),
        provider: Provider::parse("gemini").unwrap(),
        model: ModelName::parse("gemini-2.5-flash").unwrap(),
        linkage: Linkage::Primary,
        weight: 1.0,
        secret,
    }
}

fn version(version: u64) -> PublishedTarget {
    with_secret(Some((SecretId::from_random(1), version)))
}

fn target() -> PublishedTarget {
    version(1)
}

fn fail(health: &Health, times: u32) -> News {
    (0..times).map(|_| health.note(&target(), Sign::Failed, || 0.5)).last().unwrap()
}

#[tokio::test(start_paused = true)]
async fn seven_failures_in_a_row_are_followed_by_a_rest_and_one_trial() {
    let health = Health::default();
    assert_eq!(fail(&health, 6), News::None);
    assert!(health.may_be_tried(&target()));
    health.note(&target(), Sign::Up, || 0.5);
    fail(&health, 6);
    assert!(health.may_be_tried(&target()), "not in a row");
    assert_eq!(fail(&health, 1), News::Rests);
    assert!(!health.may_be_tried(&target()));
    assert_eq!(health.resting(), 1);
    let other = PublishedTarget { mapping: MappingId::from_random(2), ..target() };
    assert!(health.may_be_tried(&other), "the others go on");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(health.may_be_tried(&target()) && !health.may_be_tried(&target()), "one tries");
    assert_eq!(fail(&health, 1), News::None, "the operator knows");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!health.may_be_tried(&target()), "twice as long");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(health.may_be_tried(&target()));
    health.note(&target(), Sign::Up, || 0.5);
    assert!(!health.any_rests() && health.may_be_tried(&target()) && health.may_be_tried(&target()));
}

#[tokio::test(start_paused = true)]
async fn a_trial_of_which_nothing_is_heard_is_followed_by_another() {
    let health = Health::default();
    fail(&health, 7);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(health.may_be_tried(&target()) && !health.may_be_tried(&target()));
    tokio::time::advance(Retries::default().trial).await;
    assert!(health.may_be_tried(&target()));
}

#[tokio::test(start_paused = true)]
async fn a_rest_that_was_asked_for_is_as_long_as_that_up_to_a_limit() {
    let health = Health::default();
    for (asked, rests) in [(34, 34), (1_000_000, 3600)] {
        health.note(&target(), Sign::Asks(Duration::from_secs(asked)), || 0.5);
        tokio::time::advance(Duration::from_millis(rests * 1000 - 1)).await;
        assert!(!health.may_be_tried(&target()));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(health.may_be_tried(&target()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_secret_does_not_wait_out_the_rest_of_the_old_one() {
    let health = Health::default();
    assert_eq!(health.note(&version(1), Sign::KeyRefused, || 0.5), News::KeyRefused);
    assert_eq!(health.note(&version(1), Sign::KeyRefused, || 0.5), News::None, "the operator is told once");
    assert!(!health.may_be_tried(&version(1)));
    assert!(health.may_be_tried(&version(2)) && health.may_be_tried(&version(2)));
    let another = with_secret(Some((SecretId::from_random(2), 1)));
    assert!(health.may_be_tried(&another));
    assert_eq!(health.note(&version(2), Sign::KeyRefused, || 0.5), News::KeyRefused, "the new one is news");
    health.note(&version(1), Sign::Up, || 0.5);
    assert!(!health.may_be_tried(&version(2)), "what the old one says comes too late");
    health.note(&version(2), Sign::Up, || 0.5);
    assert!(!health.any_rests());
}

#[test]
fn rests_grow_to_a_minute_or_as_configured() {
    let limits = Retries::default();
    let seconds = |failures| after(&limits, failures, 0.5).as_secs();
    assert_eq!([7, 8, 9, 12, 13, 14, 1000].map(seconds), [1, 2, 4, 32, 60, 60, 60]);
    assert!(after(&limits, 7, 0.0) < after(&limits, 7, 1.0));
    let limits = Retries { failures_max: 2, rest_max: Duration::from_secs(3), ..Retries::default() };
    let seconds = |failures| after(&limits, failures, 0.5).as_secs();
    assert_eq!([2, 3, 4, 5].map(seconds), [1, 2, 3, 3]);
}

#[test]
fn signs() {
    let answer = |status, fields: &[(&'static str, &'static str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        let status = StatusCode::from_u16(status).unwrap();
        Sign::of(&Ok(Answer { status, headers, body: forward::empty() }))
    };
    for status in [200, 400, 404, 409, 422] {
        assert_eq!(answer(status, &[]), Sign::Up, "{status}");
    }
    for status in [500, 502, 503, 504, 529] {
        assert_eq!(answer(status, &[]), Sign::Failed, "{status}");
    }
    for status in [401, 402, 403] {
        assert_eq!(answer(status, &[]), Sign::KeyRefused, "{status}");
    }
    let asks = |milliseconds| Sign::Asks(Duration::from_millis(milliseconds));
    assert_eq!(answer(429, &[]), Sign::Limited);
    assert_eq!(answer(429, &[("retry-after", "soon")]), Sign::Limited);
    assert_eq!(answer(429, &[("retry-after", "7")]), asks(7000));
    assert_eq!(answer(429, &[("retry-after", "7"), ("retry-after-ms", "6500")]), asks(6500));
    assert_eq!(answer(503, &[("retry-after", "7")]), asks(7000));
    assert_eq!(Sign::of(&Err(ForwardError::Disconnected)), Sign::Failed);
    assert_eq!(Sign::of(&Err(ForwardError::RequestBroken)), Sign::Nothing);
    assert_eq!(Sign::of(&Err(ForwardError::KeyRefused("no"))), Sign::KeyRefused);
}
