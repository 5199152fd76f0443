//! What only a wire has: a store that is not there, dies, or stops; watches; trace context.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use names::{Actor, RequestId};
use parking_lot::Mutex;
use store::{Admin as _, Caller, Callers, Catalog, Role, StoreError, Vault, Watcher};
use store_grpc::{Remote, channel, serve};
use tokio_util::sync::CancellationToken;
use tonic::codegen::http::{HeaderMap, HeaderValue};

use crate::{
    fake::{Fake, bare_published, callers, every_update, note, position, provider, published, sealed, tag},
    homes::{duplex, line_to, listener, listening, routes},
};

async fn within<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(1), event)
        .await
        .expect("what should happen at once does not happen")
}

fn caller() -> Caller {
    Caller { actor: Some(Actor::parse("an admin").unwrap()), request_id: RequestId::from_random(1) }
}

fn watcher() -> Watcher {
    Watcher { role: Role::Edge, replica: "edge-1".to_owned() }
}

#[tokio::test]
async fn every_update_of_a_catalog_comes_through() {
    let fake = Fake::new();
    let (channel, _serving) = duplex(routes(fake.clone(), CancellationToken::new()).await);
    let remote = Remote::new(channel, None);
    for from in [None, Some(position(5))] {
        let mut updates = within(Catalog::watch(&remote, watcher(), from)).await.unwrap();
        assert_eq!(fake.last(), note("watch", &(watcher(), from)));
        for expected in every_update(&[published(), bare_published()]) {
            assert_eq!(within(updates.next()).await.unwrap().unwrap(), expected);
        }
    }
    within(Catalog::acknowledge(&remote, &watcher(), position(7))).await.unwrap();
    assert_eq!(fake.last(), note("acknowledge", &(watcher(), position(7))));
}

#[tokio::test]
async fn every_update_of_callers_comes_through() {
    let fake = Fake::new();
    let (channel, _serving) = duplex(routes(fake.clone(), CancellationToken::new()).await);
    let remote = Remote::new(channel, None);
    let watcher = Watcher { role: Role::Callers, replica: "edge-1".to_owned() };
    for from in [None, Some(position(5))] {
        let mut updates = within(Callers::watch(&remote, watcher.clone(), from)).await.unwrap();
        assert_eq!(fake.last(), note("watch", &(watcher.clone(), from)));
        for expected in every_update(&callers()) {
            assert_eq!(within(updates.next()).await.unwrap().unwrap(), expected);
        }
    }
    within(Callers::acknowledge(&remote, &watcher, position(7))).await.unwrap();
    assert_eq!(fake.last(), note("acknowledge", &(watcher, position(7))));
}

#[tokio::test]
async fn every_update_of_a_vault_comes_through() {
    let fake = Fake::new();
    let (channel, _serving) = duplex(routes(fake.clone(), CancellationToken::new()).await);
    let remote = Remote::new(channel, None);
    let watcher = Watcher { role: Role::Forwarder, replica: "forwarder-1".to_owned() };
    for from in [None, Some(position(5))] {
        let key = vec![0, 128, 255];
        let providers = vec![provider(), names::Provider::parse("openai").unwrap()];
        let watching = Vault::watch(&remote, watcher.clone(), providers.clone(), key.clone(), from);
        let mut updates = within(watching).await.unwrap();
        assert_eq!(fake.last(), note("watch", &(watcher.clone(), providers, key, from)));
        for expected in every_update(&[sealed()]) {
            assert_eq!(within(updates.next()).await.unwrap().unwrap(), expected);
        }
    }
    within(Vault::acknowledge(&remote, &watcher, position(7))).await.unwrap();
    assert_eq!(fake.last(), note("acknowledge", &(watcher, position(7))));
}

#[tokio::test]
async fn watches_end_when_the_store_stops_and_say_why() {
    let stop = CancellationToken::new();
    let (channel, _serving) = duplex(routes(Fake::new(), stop.clone()).await);
    let remote = Remote::new(channel, None);
    let mut catalog = within(Catalog::watch(&remote, watcher(), None)).await.unwrap();
    let mut vault = within(Vault::watch(&remote, watcher(), vec![provider()], vec![1], None)).await.unwrap();
    stop.cancel();
    let (catalog, vault) = within(async {
        let catalog: Vec<_> = catalog.by_ref().collect().await;
        (catalog, vault.by_ref().collect::<Vec<_>>().await)
    })
    .await;
    assert_eq!(catalog.last(), Some(&Err(StoreError::Unavailable)));
    assert_eq!(vault.last(), Some(&Err(StoreError::Unavailable)));
}

#[tokio::test]
async fn a_watch_whose_connection_breaks_ends_with_an_error() {
    let (endpoint, _serving) = listening(routes(Fake::new(), CancellationToken::new()).await).await;
    let (endpoint, mut line) = line_to(&endpoint).await;
    let remote = Remote::new(channel(endpoint), None);
    let mut updates = within(Catalog::watch(&remote, watcher(), None)).await.unwrap();
    assert!(within(updates.next()).await.unwrap().is_ok());
    line.shutdown().await;
    let rest: Vec<_> = within(updates.collect()).await;
    assert_eq!(rest.last(), Some(&Err(StoreError::Unavailable)));
}

#[tokio::test]
async fn a_watch_that_does_not_begin_says_what_the_transport_said() {
    let (listener, endpoint) = listener().await;
    drop(listener);
    let remote = Remote::new(channel(endpoint), None);
    assert_eq!(Catalog::trouble(&remote), None);
    let refused = within(Catalog::watch(&remote, watcher(), None)).await.err();
    assert_eq!(refused, Some(StoreError::Unavailable));
    let trouble = Catalog::trouble(&remote).unwrap();
    assert!(trouble.to_lowercase().contains("connection refused"), "{trouble}");
}

#[tokio::test]
async fn errors_of_the_store_come_back_exactly() {
    let fake = Fake::new();
    let (channel, _serving) = duplex(routes(fake.clone(), CancellationToken::new()).await);
    let remote = Remote::new(channel, None);
    for error in [
        StoreError::Invalid("`name` must be given".into()),
        StoreError::FailedPrecondition("in use".into()),
        StoreError::NotFound("no such endpoint".into()),
        StoreError::AlreadyExists("taken".into()),
        StoreError::Unavailable,
        StoreError::OutcomeUnknown,
        StoreError::Internal,
    ] {
        *fake.failure.lock() = Some(error.clone());
        let id = names::EndpointId::from_random(1);
        assert_eq!(within(remote.set_tag(&caller(), &id, tag())).await.unwrap_err(), error);
        assert_eq!(within(remote.experiments()).await.unwrap_err(), error);
        assert_eq!(within(Catalog::watch(&remote, watcher(), None)).await.err(), Some(error));
    }
}

#[tokio::test]
async fn a_store_that_was_never_reached_changed_nothing() {
    let (listener, endpoint) = listener().await;
    drop(listener);
    let remote = Remote::new(channel(endpoint), None);
    let id = names::EndpointId::from_random(1);
    for _ in 0..2 {
        let error = within(remote.set_tag(&caller(), &id, tag())).await.unwrap_err();
        assert_eq!(error, StoreError::Unavailable);
        assert_eq!(within(remote.experiments()).await.unwrap_err(), StoreError::Unavailable);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_under_a_change_leaves_its_outcome_unknown() {
    let (listener, endpoint) = listener().await;
    let remote = Remote::new(channel(endpoint), None);
    let (caller, id) = (caller(), names::EndpointId::from_random(1));
    let dying = dies_after(&listener, caller.request_id.as_str());
    let changing = async { tokio::join!(remote.set_tag(&caller, &id, tag()), dying).0 };
    assert_eq!(within(changing).await.unwrap_err(), StoreError::OutcomeUnknown);
}

#[tokio::test]
async fn a_connection_that_breaks_under_a_question_is_unavailable() {
    let (listener, endpoint) = listener().await;
    let remote = Remote::new(channel(endpoint), None);
    let dying = dies_after(&listener, "gateway/chat");
    let asking = async { tokio::join!(remote.experiment_by_name("gateway/chat"), dying).0 };
    assert_eq!(within(asking).await.unwrap_err(), StoreError::Unavailable);
}

/// Takes one connection, waits until these words of a request have come, and dies.
async fn dies_after(listener: &tokio::net::TcpListener, words: &str) {
    use tokio::io::AsyncReadExt as _;
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut seen = Vec::new();
    while !seen.windows(words.len()).any(|part| part == words.as_bytes()) {
        assert!(socket.read_buf(&mut seen).await.unwrap() > 0, "the client went away");
    }
}

#[tokio::test]
async fn trace_context_crosses() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let extract = Arc::new(move |headers: &HeaderMap| {
        noted.lock().extend(headers.get("traceparent").cloned());
        tracing::Span::none()
    });
    let inject = Arc::new(move |headers: &mut HeaderMap| {
        headers.insert("traceparent", HeaderValue::from_static(parent));
    });
    let fake = Fake::new();
    let stop = CancellationToken::new();
    let routes = serve(fake.clone(), fake.clone(), fake.clone(), fake, Some(extract), stop).await;
    let (channel, _serving) = duplex(routes);
    let remote = Remote::new(channel, Some(inject));
    within(remote.experiments()).await.unwrap();
    within(Catalog::acknowledge(&remote, &watcher(), position(1))).await.unwrap();
    within(Vault::acknowledge(&remote, &watcher(), position(1))).await.unwrap();
    assert_eq!(*seen.lock(), [parent, parent, parent]);
}

#[tokio::test]
async fn health_and_reflection_answer() {
    use tonic_health::pb::{
        HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
    };
    let (channel, _serving) = duplex(routes(Fake::new(), CancellationToken::new()).await);
    let ours = ["Admin", "AuditLog", "Callers", "Catalog", "ClientKeys", "Vault"];
    let ours = ours.map(|service| format!("keyward.store.v1.{service}"));
    for service in ours.iter().map(String::as_str).chain([""]) {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = within(HealthClient::new(channel.clone()).check(request)).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    let names = within(services(channel)).await;
    assert_eq!(names[0], "grpc.health.v1.Health");
    assert_eq!(names[1..], ours);
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
