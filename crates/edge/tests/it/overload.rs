//! What is refused because too much is under way: early, in the caller's dialect, with when to come again.

use edge::Config;
use tokio::{net::TcpStream, time::timeout};

use crate::{
    client::{BOUND, Client, Reply as Got, UNARY, get, post},
    rig::{Reply, Rig},
};

const CLAUDE: &str = "/gateway/claude/anthropic/v1/messages";
const BACKED: &str = "/gateway/gemini/v1beta/models/backed:generateContent";

/// An edge with one call of `chat` under way, whose provider is silent; the client that made it must be kept.
async fn busy(config: Config) -> (Rig, Client<TcpStream>) {
    let rig = Rig::with(config).await;
    rig.replies(Reply::Hangs);
    let mut client = Client::connect(rig.address).await;
    client.send(&post(UNARY, "", b"{}")).await;
    timeout(BOUND, rig.forwarder.reached.acquire()).await.expect("the call arrives").unwrap().forget();
    rig.replies(Reply::json(200, "{}"));
    (rig, client)
}

/// A head whose body never comes: whoever is refused early has an answer all the same.
async fn without_a_body(rig: &Rig, path: &str) -> Got {
    let mut client = Client::connect(rig.address).await;
    client.send(format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n").as_bytes()).await;
    client.reply().await.expect("an answer")
}

fn refused(reply: &Got, setting: &str) {
    assert_eq!(
        (reply.status, reply.field("keyward-error-source")),
        (503, Some("gateway")),
        "{}",
        reply.text()
    );
    let seconds: u64 = reply.field("retry-after").expect("when to come again").parse().unwrap();
    assert!((1..=4).contains(&seconds), "{seconds}");
    assert!(reply.json()["error"]["message"].as_str().unwrap().contains(setting), "{}", reply.text());
}

#[tokio::test]
async fn an_endpoint_that_is_full_is_refused_and_the_others_go_on() {
    let mut config = Config::default();
    config.overload.calls_per_endpoint_max = 1;
    let (rig, first) = busy(config).await;
    let reply = without_a_body(&rig, UNARY).await;
    refused(&reply, "overload.calls_per_endpoint_max");
    assert_eq!(reply.json()["error"]["status"], "UNAVAILABLE");
    let mut client = Client::connect(rig.address).await;
    assert_eq!(client.ask(&post(BACKED, "", b"{}")).await.status, 200);
    assert_eq!(rig.seen().len(), 2, "nobody was asked for the one that was refused");
    drop(first);
}

#[tokio::test]
async fn a_process_that_is_full_refuses_in_every_dialect_and_says_how_it_is() {
    let mut config = Config::default();
    config.overload.calls_max = 1;
    let (rig, first) = busy(config).await;
    for path in [UNARY, CLAUDE, "/gateway/gpt/openai/v1/chat/completions"] {
        refused(&without_a_body(&rig, path).await, "overload.calls_max");
    }
    assert_eq!(without_a_body(&rig, CLAUDE).await.json()["type"], "error");
    assert_eq!(rig.seen().len(), 1);
    let mut client = Client::connect(rig.address).await;
    assert_eq!(client.ask(&get("/readyz")).await.status, 200);
    drop(first);
}

#[tokio::test]
async fn a_budget_that_is_used_up_leaves_the_first_targets_answer() {
    let mut config = Config::default();
    config.retries.budget_share = 0;
    config.retries.budget_per_second = 0;
    let rig = Rig::with(config).await;
    rig.plays(|head| {
        if head.attempt == 1 { Reply::json(503, r#"{"error":{"code":503}}"#) } else { Reply::json(200, "{}") }
    });
    let mut client = Client::connect(rig.address).await;
    let reply = client.ask(&post(BACKED, "", b"{}")).await;
    assert_eq!((reply.status, reply.field("keyward-attempt")), (503, Some("1")));
    assert_eq!(reply.field("keyward-error-source"), Some("provider"));
    assert_eq!(rig.seen().len(), 1);
    assert_eq!(rig.metric("keyward_retries_withheld_total"), "1");
}
