//! When the client goes, the call goes.

use bytes::Bytes;
use tokio::{task::JoinSet, time::timeout};

use crate::{
    client::{BOUND, Client, SSE, UNARY, post},
    rig::{End, Reply, Rig},
    truncation::connect_http2,
};

async fn dropped(rig: &Rig) {
    timeout(BOUND, rig.forwarder.dropped.acquire()).await.expect("the call is dropped").unwrap().forget();
}

async fn reached(rig: &Rig) {
    timeout(BOUND, rig.forwarder.reached.acquire()).await.expect("the call arrives").unwrap().forget();
}

async fn cancelled(rig: &Rig, count: &str) {
    let line = r#"keyward_calls_total{endpoint="chat",gen_ai_provider_name="gemini",gen_ai_request_model="model-1",gen_ai_operation_name="generate_content",outcome="cancelled"}"#;
    timeout(BOUND, async {
        while rig.metric(line) != count {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the call is recorded as cancelled");
}

fn open_stream() -> Reply {
    let first = Bytes::from_static(b"data: {\"candidates\":[]}\r\n\r\n");
    Reply::frames("text/event-stream", [first], End::Open)
}

#[tokio::test]
async fn before_headers_over_http1() {
    let rig = Rig::new().await;
    rig.replies(Reply::Hangs);
    let mut client = Client::connect(rig.address).await;
    client.send(&post(UNARY, "", b"{}")).await;
    reached(&rig).await;
    drop(client);
    dropped(&rig).await;
    cancelled(&rig, "1").await;
}

#[tokio::test]
async fn mid_stream_over_http1() {
    let rig = Rig::new().await;
    rig.replies(open_stream());
    let mut client = Client::connect(rig.address).await;
    client.send(&post(SSE, "", b"{}")).await;
    client.until("candidates").await;
    assert_eq!(rig.metric("keyward_open_streams"), "1");
    drop(client);
    dropped(&rig).await;
    cancelled(&rig, "1").await;
}

#[tokio::test]
async fn before_headers_and_mid_stream_over_http2() {
    let rig = Rig::new().await;
    let mut connections = JoinSet::new();
    let client = connect_http2(rig.address, &mut connections).await;
    let request = |path: &str| http::Request::post(format!("http://localhost{path}")).body(()).unwrap();
    rig.replies(Reply::Hangs);
    let (response, stream) =
        client.clone().ready().await.unwrap().send_request(request(UNARY), true).unwrap();
    reached(&rig).await;
    drop((response, stream));
    dropped(&rig).await;
    rig.replies(open_stream());
    let (response, stream) = client.clone().ready().await.unwrap().send_request(request(SSE), true).unwrap();
    let mut response = timeout(BOUND, response).await.unwrap().unwrap();
    timeout(BOUND, response.body_mut().data()).await.unwrap().unwrap().unwrap();
    drop((response, stream));
    dropped(&rig).await;
    cancelled(&rig, "2").await;
}
