//! Clients that are slow or silent: closed by the limit that is theirs (B01 to B06).

use std::time::Duration;

use edge::Config;

use crate::{
    client::{Client, UNARY, get, post},
    rig::Rig,
};

/// Limits of 200 ms; what does not come in one piece is too slow.
fn short() -> Config {
    let short = Duration::from_millis(200);
    let mut config = Config::default();
    config.connections.first_byte = short;
    config.connections.head = short;
    config.connections.idle = short;
    config.requests.body_first_byte = short;
    config.requests.body_window = short;
    config
}

fn closed(rig: &Rig, reason: &str) -> String {
    rig.metric(&format!(r#"keyward_connections_closed_total{{reason="{reason}",face="connection"}}"#))
}

#[tokio::test]
async fn b01_half_a_head_then_silence() {
    let rig = Rig::with(short()).await;
    let mut client = Client::connect(rig.address).await;
    client.send(format!("POST {UNARY} HTTP/1.1\r\nhost: local").as_bytes()).await;
    let said = client.reply().await.unwrap().gemini_refusal(408);
    assert!(said.contains("`connections.head`"), "{said}");
    assert!(client.end().await.is_empty());
    assert!(rig.seen().is_empty());
}

#[tokio::test]
async fn b02_no_byte() {
    let rig = Rig::with(short()).await;
    let mut client = Client::connect(rig.address).await;
    assert!(client.end().await.is_empty());
    assert_eq!(closed(&rig, "first_byte"), "1");
}

#[tokio::test]
async fn b03_a_body_that_stalls() {
    let rig = Rig::with(short()).await;
    for begun in ["", "{}"] {
        let mut client = Client::connect(rig.address).await;
        let head = format!("POST {UNARY} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n{begun}");
        client.send(head.as_bytes()).await;
        let said = client.reply().await.unwrap().gemini_refusal(408);
        assert!(said.contains("body_"), "{said}");
        assert!(client.end().await.is_empty());
    }
}

#[tokio::test]
async fn b06_idle_between_requests() {
    let rig = Rig::with(short()).await;
    let mut client = Client::connect(rig.address).await;
    assert_eq!(client.ask(&get("/livez")).await.status, 200);
    assert_eq!(client.ask(&post(UNARY, "", b"{}")).await.status, 200);
    assert!(client.end().await.is_empty());
    assert_eq!(closed(&rig, "idle"), "1");
}
