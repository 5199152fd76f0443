//! What only a wire has: a far side that is not there, dies, or is something else; trace context; the windows.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use dialect::{Framing, Operation, Version};
use forward::{Answer, Body, BodyError, Call, Forward, ForwardError, Head, Limits};
use forward_grpc::{Remote, channel, serve, server};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt as _, channel::Channel, channel::Sender};
use names::{EndpointName, MappingId, RequestId};
use tokio::net::TcpListener;
use tonic::transport::Endpoint;

use crate::homes::{Once, in_memory, line_to, listening};

/// How long something may take that has every reason to happen at once.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn call(body: Body) -> Call {
    let long = Duration::from_mins(5);
    let head = Head {
        request_id: RequestId::from_random(1),
        endpoint: EndpointName::parse("chat").unwrap(),
        mapping: MappingId::from_random(2),
        revision: 1,
        attempt: 1,
        operation: Operation::GenerateContent,
        version: Version::V1Beta,
        path: None,
        framing: Framing::Unary,
        method: Method::POST,
        query: None,
        headers: HeaderMap::new(),
        content_length: None,
        splices: Vec::new(),
        limits: Limits { connect: long, first_byte: long, idle: long, total: None },
    };
    Call { head, body }
}

async fn within<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, event).await.expect("what should happen at once does not happen")
}

fn ok(body: Body) -> Answer {
    Answer { status: StatusCode::OK, headers: HeaderMap::new(), body }
}

fn given() -> (Sender<Bytes, BodyError>, Body) {
    let (sender, body) = Channel::new(1);
    (sender, body.boxed_unsync())
}

/// Answers once, with this.
struct Answers(Once<Answer>);

#[async_trait::async_trait]
impl Forward for Answers {
    async fn forward(&self, _: Call) -> Result<Answer, ForwardError> {
        Ok(self.0.lock().await.take().expect("one call"))
    }
}

/// Tells of the call, then never answers.
struct Hangs(Once<tokio::sync::oneshot::Sender<()>>);

#[async_trait::async_trait]
impl Forward for Hangs {
    async fn forward(&self, _call: Call) -> Result<Answer, ForwardError> {
        let _ = self.0.lock().await.take().expect("one call").send(());
        std::future::pending().await
    }
}

/// Answers with the name of the span it runs in.
struct Names;

#[async_trait::async_trait]
impl Forward for Names {
    async fn forward(&self, _: Call) -> Result<Answer, ForwardError> {
        let name = tracing::Span::current().metadata().map_or("none", |metadata| metadata.name());
        Ok(ok(forward::full(name)))
    }
}

#[tokio::test]
async fn nobody_there_is_forwarder_unavailable_and_the_next_call_finds_who_came() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let remote = Remote::new(channel(endpoint), None);
    for _ in 0..2 {
        let error = within(remote.forward(call(forward::full("x")))).await.unwrap_err();
        assert_eq!(error, ForwardError::ForwarderUnavailable);
        assert!(error.certainly_not_acted());
    }
    let listener = TcpListener::bind(address).await.unwrap();
    let routes = serve(Arc::new(Names), None).await;
    let mut serving = tokio::task::JoinSet::new();
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    serving.spawn(server().add_routes(routes).serve_with_incoming(incoming));
    let answer = within(remote.forward(call(forward::full("x")))).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn something_that_is_no_forwarder_is_forwarder_unavailable() {
    let (endpoint, _serving) = listening(tonic::service::Routes::default()).await;
    let remote = Remote::new(channel(endpoint), None);
    let error = within(remote.forward(call(forward::full("x")))).await.unwrap_err();
    assert_eq!(error, ForwardError::ForwarderUnavailable);
}

#[tokio::test]
async fn a_forwarder_that_dies_before_it_answered_may_have_acted() {
    let (tell, called) = tokio::sync::oneshot::channel();
    let (endpoint, _serving) = listening(serve(Arc::new(Hangs(Some(tell).into())), None).await).await;
    let (endpoint, mut line) = line_to(&endpoint).await;
    let remote = Remote::new(channel(endpoint), None);
    let dying = async {
        called.await.unwrap();
        line.shutdown().await;
    };
    let (answered, ()) =
        within(async { tokio::join!(remote.forward(call(forward::full("x"))), dying) }).await;
    let error = answered.unwrap_err();
    assert_eq!(error, ForwardError::Disconnected);
    assert!(!error.certainly_not_acted());
}

#[tokio::test]
async fn a_forwarder_that_dies_in_the_middle_of_an_answer_breaks_it() {
    let (mut sender, body) = given();
    let (endpoint, _serving) = listening(serve(Arc::new(Answers(Some(ok(body)).into())), None).await).await;
    let (endpoint, mut line) = line_to(&endpoint).await;
    let remote = Remote::new(channel(endpoint), None);
    let mut answer = within(remote.forward(call(forward::empty()))).await.unwrap();
    sender.send_data(Bytes::from_static(b"abc")).await.unwrap();
    assert_eq!(within(answer.body.frame()).await.unwrap().unwrap().into_data().unwrap(), "abc");
    line.shutdown().await;
    let error = within(answer.body.frame()).await.unwrap().unwrap_err();
    assert!(matches!(error, BodyError::Broken(_)), "{error:?}");
}

#[tokio::test]
async fn a_known_length_stays_known() {
    let way = in_memory(Arc::new(Answers(Some(ok(forward::full("twelve bytes"))).into())), None, None).await;
    let mut answer = within(way.forward(call(forward::empty()))).await.unwrap();
    assert_eq!(http_body::Body::size_hint(&answer.body).exact(), Some(12));
    assert_eq!(within(answer.body.frame()).await.unwrap().unwrap().into_data().unwrap(), "twelve bytes");
    assert!(within(answer.body.frame()).await.is_none());
}

#[tokio::test]
async fn trace_context_crosses() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let seen = Arc::new(Mutex::new(None));
    let extract = {
        let seen = Arc::clone(&seen);
        Arc::new(move |headers: &HeaderMap| {
            *seen.lock().unwrap() = headers.get("traceparent").cloned();
            tracing::info_span!("forward")
        })
    };
    let inject = Arc::new(move |headers: &mut HeaderMap| {
        headers.insert("traceparent", HeaderValue::from_static(parent));
    });
    let _subscriber = tracing::subscriber::set_default(tracing_subscriber::registry());
    let way = in_memory(Arc::new(Names), Some(extract), Some(inject)).await;
    let answer = within(way.forward(call(forward::empty()))).await.unwrap();
    let name = within(answer.body.collect()).await.unwrap().to_bytes();
    assert_eq!(seen.lock().unwrap().as_ref().unwrap(), parent);
    assert_eq!(name, "forward", "the call runs in the span that was made of its headers");
}

#[tokio::test(start_paused = true)]
async fn a_forwarder_that_hangs_is_waited_for_a_little_longer_than_it_may() {
    let (tell, _called) = tokio::sync::oneshot::channel();
    let way = in_memory(Arc::new(Hangs(Some(tell).into())), None, None).await;
    let mut call = call(forward::full("x"));
    let after = Duration::from_millis(700);
    call.head.limits.connect = Duration::from_millis(100);
    call.head.limits.first_byte = after;
    let error = way.forward(call).await.unwrap_err();
    assert_eq!(error, ForwardError::TimedOut { limit: forward::Limit::FirstByte, after });
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_falls_silent_is_waited_for_a_little_longer_than_it_may() {
    let (_sender, body) = given();
    let way = in_memory(Arc::new(Answers(Some(ok(body)).into())), None, None).await;
    let mut call = call(forward::empty());
    call.head.limits.idle = Duration::from_millis(700);
    let mut answer = way.forward(call).await.unwrap();
    let error = answer.body.frame().await.unwrap().unwrap_err();
    assert_eq!(error, BodyError::TimedOut(forward::Limit::Idle));
}

#[tokio::test]
async fn health_and_reflection_answer() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    let (endpoint, _serving) = listening(serve(Arc::new(Names), None).await).await;
    let channel = channel(endpoint);
    for service in ["", "keyward.forward.v1.Forward"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let status = within(HealthClient::new(channel.clone()).check(request)).await.unwrap().into_inner();
        assert_eq!(status.status(), tonic_health::pb::health_check_response::ServingStatus::Serving);
    }
    assert_eq!(within(services(channel)).await, ["grpc.health.v1.Health", "keyward.forward.v1.Forward"]);
}

async fn services(channel: tonic::transport::Channel) -> Vec<String> {
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let asking = tokio_stream::once(ask);
    let mut answers =
        ServerReflectionClient::new(channel).server_reflection_info(asking).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let mut names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    names.sort();
    names
}
