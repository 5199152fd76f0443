//! Services apart stay up: calls to known endpoints need neither the store nor its database, also after a restart.

use std::{fs, time::Duration};

use e2e::{House, PATIENCE, Plan, Shape};

use crate::{KEY, published, recorded};

/// An address that nobody answers at.
const NOBODY: &str = "http://127.0.0.1:1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_on_when_the_store_is_gone() {
    let Some(mut house) = published(Plan::new(Shape::Apart)).await else { return };
    call(&house).await;
    house.process("store").unwrap().kill().await.unwrap();
    house.database.as_ref().unwrap().drop_by_force().await.unwrap();
    call(&house).await;
    // What needs the store says so, and in its own dialect.
    let refused = house.admin().unwrap().get("endpoints/list").await.unwrap();
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.json()["error_code"].is_string(), "{}", refused.text);
    call(&house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edge_and_forwarder_start_without_the_store() {
    let Some(mut house) = published(Plan::new(Shape::Apart)).await else { return };
    for snapshot in ["snapshots/edge", "snapshots/forwarder"] {
        written(&house, snapshot, "gemini-2.5-flash").await;
    }
    // A crash, not a farewell: nothing is written on the way out.
    for role in ["store", "edge", "forwarder"] {
        house.process(role).unwrap().kill().await.unwrap();
    }
    house.database.as_ref().unwrap().drop_by_force().await.unwrap();
    let forwarder = house.start_forwarder(NOBODY).await.unwrap();
    house.start_edge(NOBODY, &forwarder).await.unwrap();
    call(&house).await;
}

/// A forwarder that was restarted is found again, and so is an edge's store.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_comes_back_is_followed_again() {
    let Some(mut house) = published(Plan::new(Shape::Apart)).await else { return };
    house.process("store").unwrap().kill().await.unwrap();
    call(&house).await;
    house.restart_store().await.unwrap();
    let admin = house.admin().unwrap();
    let answered = async {
        let mut look = tokio::time::interval(Duration::from_millis(50));
        loop {
            look.tick().await;
            // Refused for as long as the edge has not found it again.
            if admin.get("endpoints/list").await.is_ok_and(|answer| answer.status == 200) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, answered).await.expect("the edge finds the store again");
    let secret = admin.secret("another", KEY, &house.api_base()).await.unwrap();
    let definition = admin.model("another", &secret, "gemini-2.5-pro").await.unwrap();
    admin.endpoint("another", &definition).await.unwrap();
    called(&house, "another").await;
}

/// The process that faces the network has no key: not in its snapshot, sealed or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_edge_holds_no_secret() {
    let Some(house) = published(Plan::new(Shape::Apart)).await else { return };
    let edge = written(&house, "snapshots/edge", "gemini-2.5-flash").await;
    let forwarder = written(&house, "snapshots/forwarder", "gemini-2.5-flash").await;
    assert!(forwarder.contains("sealed"), "{forwarder}");
    for word in ["sealed", "api_key", KEY] {
        assert!(!edge.contains(word), "{word}: {edge}");
    }
}

/// Waits until a snapshot holds this; what it holds then.
async fn written(house: &House, file: &str, part: &str) -> String {
    let file = house.folder().join(file);
    let look = async {
        let mut look = tokio::time::interval(Duration::from_millis(20));
        loop {
            look.tick().await;
            let text = fs::read_to_string(&file).unwrap_or_default();
            if text.contains(part) {
                return text;
            }
        }
    };
    let found = tokio::time::timeout(PATIENCE, look).await;
    found.unwrap_or_else(|_| panic!("`{part}` was never written into {}", file.display()))
}

async fn call(house: &House) {
    called(house, "gemini-v1").await;
}

async fn called(house: &House, endpoint: &str) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v1beta/models/{endpoint}:streamGenerateContent?alt=sse", house.gemini_url());
    let answer = http.post(url).body("{}").send().await.unwrap();
    let status = answer.status();
    let body = answer.bytes().await.unwrap();
    assert_eq!((status.as_u16(), body.as_ref()), (200, recorded()), "{}", house.said());
}
