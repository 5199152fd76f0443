//! Start, probes, planes, and the end of the process.

use bytes::Bytes;
use edge::Planes;
use store::Position;
use tokio::time::timeout;

use crate::{
    client::{BOUND, Client, SSE, UNARY, get, post},
    rig::{End, Reply, Rig, Wanted},
};

#[tokio::test]
async fn probes_tell_how_far_the_process_is() {
    let rig = Rig::wanted(Wanted { loaded: false, ..Wanted::default() }).await;
    let mut client = Client::connect(rig.address).await;
    let mut statuses = async |paths: [&str; 3]| {
        let mut statuses = Vec::new();
        for path in paths {
            statuses.push(client.ask(&get(path)).await.status);
        }
        statuses
    };
    let probes = ["/livez", "/startupz", "/readyz"];
    assert_eq!(statuses(probes).await, [200, 503, 503]);
    rig.catalog.replace(Position { epoch: 1, revision: 1 }, Vec::new());
    assert_eq!(statuses(probes).await, [200, 200, 200]);
    rig.edge.turn_lame();
    assert_eq!(statuses(probes).await, [200, 200, 503]);
}

#[tokio::test]
async fn before_the_catalog_is_loaded_calls_are_asked_to_try_again() {
    let rig = Rig::wanted(Wanted { loaded: false, ..Wanted::default() }).await;
    let mut client = Client::connect(rig.address).await;
    client.ask(&post(UNARY, "", b"{}")).await.gemini_refusal(503);
    client.ask(&get("/gateway/gemini/v1beta/models")).await.gemini_refusal(503);
}

#[tokio::test]
async fn a_plane_serves_its_own_paths_only() {
    let management = || {
        let answer = axum::routing::any(|| async { "managed" });
        Some(axum::Router::new().route("/api/{*rest}", answer.clone()).route("/health", answer))
    };
    for (planes, call, api, health, metrics) in [
        (Planes { data: true, admin: false }, 200, 404, "OK", 404),
        (Planes { data: false, admin: true }, 404, 200, "managed", 200),
        (Planes { data: true, admin: true }, 200, 200, "managed", 200),
    ] {
        let rig = Rig::wanted(Wanted { planes, management: management(), ..Wanted::default() }).await;
        let mut client = Client::connect(rig.address).await;
        assert_eq!(client.ask(&post(UNARY, "", b"{}")).await.status, call, "{planes:?}");
        let reply = client.ask(&get("/api/3.0/mlflow/gateway/secrets/list")).await;
        assert_eq!(reply.status, api, "{planes:?}");
        assert!(reply.field("keyward-request-id").is_some());
        assert_eq!(client.ask(&get("/health")).await.text(), health);
        assert_eq!(client.ask(&get("/livez")).await.status, 200);
        let reply = client.ask(&get("/metrics")).await;
        assert_eq!(reply.status, metrics, "{planes:?}");
        assert_eq!(reply.text().contains("keyward_catalog_revision 7"), metrics == 200);
    }
}

#[tokio::test]
async fn draining_lets_running_answers_finish_and_takes_nothing_new() {
    let mut rig = Rig::new().await;
    let first = Bytes::from_static(b"data: {\"candidates\":[]}\r\n\r\n");
    rig.replies(Reply::frames("text/event-stream", [first], End::Open));
    let mut running = Client::connect(rig.address).await;
    running.send(&post(SSE, "", b"{}")).await;
    running.until("candidates").await;
    let mut idle = Client::connect(rig.address).await;
    assert_eq!(idle.ask(&get("/livez")).await.status, 200);
    rig.stopping.cancel();
    assert!(idle.end().await.is_empty(), "an idle connection is closed");
    assert!(rig.served.try_join_next().is_none(), "the running answer is waited for");
    rig.ending.cancel();
    let reply = running.reply().await.unwrap();
    assert!(!reply.complete);
    assert!(
        reply.text().ends_with("}\r\n\r\n") && reply.text().contains(r#"{"error":{"code":503"#),
        "{reply:?}"
    );
    timeout(BOUND, rig.served.join_next()).await.expect("the listener ends").unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_call_without_an_answer_is_told_that_the_process_ends() {
    let mut rig = Rig::new().await;
    rig.replies(Reply::Hangs);
    let mut client = Client::connect(rig.address).await;
    client.send(&post(UNARY, "", b"{}")).await;
    timeout(BOUND, rig.forwarder.reached.acquire()).await.unwrap().unwrap().forget();
    rig.stopping.cancel();
    rig.ending.cancel();
    assert!(client.reply().await.unwrap().gemini_refusal(503).contains("shutting down"));
    timeout(BOUND, rig.served.join_next()).await.expect("the listener ends").unwrap().unwrap().unwrap();
}
