//! A defect in one request is that request's end: 500 in its dialect, and its neighbours go on.

use axum::{Router, routing::get as route};
use bytes::Bytes;
use http::Request;
use tokio::{net::TcpStream, task::JoinSet};

use crate::{
    client::{ARRAY, Client, SSE, UNARY, get, post},
    rig::{End, Reply, Rig, Wanted},
    truncation::connect_http2,
};

/// A call that asks for it panics in the forwarder; others are answered.
fn panics_on_demand(rig: &Rig) {
    rig.plays(|head| {
        assert!(head.query.as_deref().is_none_or(|query| !query.contains("panic")), "as the test asked");
        Reply::frames("text/event-stream", [Bytes::from_static(b"data: {}\r\n\r\n")], End::Open)
    });
}

async fn asked(rig: &Rig, request: &[u8]) -> crate::client::Reply {
    let mut client: Client<TcpStream> = Client::connect(rig.address).await;
    client.ask(request).await
}

#[tokio::test]
async fn a_call_that_panics_is_answered_in_its_own_framing() {
    let rig = Rig::new().await;
    panics_on_demand(&rig);
    for (path, array) in [(UNARY, false), (ARRAY, true)] {
        let reply = asked(&rig, &post(&format!("{path}?panic"), "", b"{}")).await;
        reply.gemini_refusal(500);
        assert_eq!(reply.json().is_array(), array, "{path}");
        assert!(!reply.text().contains("as the test asked"), "what a panic says stays inside");
    }
    asked(&rig, &post(&format!("{SSE}&panic"), "", b"{}")).await.gemini_refusal(500);
    assert_eq!(rig.metric(r#"keyward_refusals_total{reason="panic",face="gemini"}"#), "3");
    assert_eq!(rig.metric("keyward_calls_in_flight"), "0");
}

#[tokio::test]
async fn a_management_handler_that_panics_is_answered_as_mlflow_does() {
    let router =
        Router::new().route("/api/panics", route(async || -> &'static str { panic!("as the test asked") }));
    let rig = Rig::wanted(Wanted { management: Some(router), ..Wanted::default() }).await;
    let reply = asked(&rig, &get("/api/panics")).await;
    assert!(!reply.management_refusal(500).contains("as the test asked"));
    assert_eq!(reply.json()["error_code"], "INTERNAL_ERROR");
}

#[tokio::test]
async fn other_requests_of_the_connection_go_on() {
    let rig = Rig::new().await;
    panics_on_demand(&rig);
    let mut connections = JoinSet::new();
    let client = connect_http2(rig.address, &mut connections).await;
    let call = |query: &str| {
        let request = Request::post(format!("http://localhost{SSE}&{query}")).body(()).unwrap();
        let mut client = client.clone();
        async move {
            client = client.ready().await.unwrap();
            client.send_request(request, true).unwrap().0.await.unwrap()
        }
    };
    let mut going_on = call("fine").await.into_body();
    assert_eq!(going_on.data().await.unwrap().unwrap(), "data: {}\r\n\r\n");
    assert_eq!(call("panic").await.status(), 500);
    assert_eq!(call("fine").await.status(), 200, "the connection takes more");
    // The stream that was open stays open: nothing comes, not even its end.
    let more =
        std::future::poll_fn(|context| std::task::Poll::Ready(going_on.poll_data(context).is_pending()));
    assert!(more.await);
    let accepted = rig.metric("keyward_connections_accepted_total");
    assert_eq!(accepted, "1");
}
