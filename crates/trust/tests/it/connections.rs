//! Who gets a connection and who does not, and what is said then.

use std::{fs, sync::Arc, time::Duration};

use names::Provider;
use tonic::{Code, Status, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use trust::{Expected, Identity, Trust, TrustError};

use crate::house::{House, PATIENCE, Service, ask, gemini, load, now};

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn services_of_one_house_talk() {
    let house = House::new();
    let store = Service::start(Some(house.trust(&Identity::Store))).await;
    for identity in [Identity::Edge, Identity::EdgeAdmin, Identity::Forwarder(gemini())] {
        ask(store.channel(&house.trust(&identity), Expected::Store)).await.unwrap();
    }
}

#[tokio::test]
async fn another_authority_is_not_believed_by_either_side() {
    let (house, other) = (House::new(), House::new());
    let store = Service::start(Some(house.trust(&Identity::Store))).await;
    let said = ask(store.channel(&other.trust(&Identity::Edge), Expected::Store)).await.unwrap_err();
    assert!(said.contains("issued by none of the authorities in the CA file"), "{said}");
    // A client that believes everybody's authority, but whose certificate is another's.
    let folder = other.files("edge", &Identity::Edge);
    fs::write(folder.join("ca.pem"), house.ca()).unwrap();
    let edge = Arc::new(load(&folder, Expected::Edge).unwrap());
    let said = ask(store.channel(&edge, Expected::Store)).await.unwrap_err();
    assert!(said.contains("UnknownCA") || said.contains("alert"), "{said}");
}

#[tokio::test]
async fn nobody_is_taken_for_another_service() {
    let house = House::new();
    let edge = house.trust(&Identity::Edge);
    let openai = Provider::parse("openai").unwrap();
    let gemini_itself = Service::start(Some(house.trust(&Identity::Forwarder(gemini())))).await;
    ask(gemini_itself.channel(&edge, Expected::Forwarder(gemini()))).await.unwrap();
    for expected in [Expected::Store, Expected::Edge, Expected::Forwarder(openai)] {
        let said = ask(gemini_itself.channel(&edge, expected.clone())).await.unwrap_err();
        assert!(said.contains("is `forwarder/gemini`, not `"), "{said}");
        assert!(said.contains(&expected.to_string()), "{said}");
    }
}

#[tokio::test]
async fn plain_text_and_tls_do_not_meet() {
    let house = House::new();
    let store = Service::start(Some(house.trust(&Identity::Store))).await;
    ask(store.plain()).await.unwrap_err();
    let open = Service::start(None).await;
    ask(open.plain()).await.unwrap();
    let said = ask(open.channel(&house.trust(&Identity::Edge), Expected::Store)).await.unwrap_err();
    assert!(said.contains("no TLS with"), "{said}");
    // The listener is there for everybody else.
    ask(store.channel(&house.trust(&Identity::Edge), Expected::Store)).await.unwrap();
}

#[tokio::test]
async fn a_certificate_counts_in_its_time_only() {
    let house = House::new();
    let store = Service::start(Some(house.trust(&Identity::Store))).await;
    for made in [now() - 2 * DAY, now() + 2 * DAY] {
        let files = house.files_at("late", &Identity::Edge, made);
        let edge = Arc::new(load(&files, Expected::Edge).unwrap());
        ask(store.channel(&edge, Expected::Store)).await.unwrap_err();
        let files = house.files_at("late-store", &Identity::Store, made);
        let late = Service::start(Some(Arc::new(load(&files, Expected::Store).unwrap()))).await;
        let said = ask(late.channel(&house.trust(&Identity::Edge), Expected::Store)).await.unwrap_err();
        assert!(said.contains("its certificate has expired") || said.contains("not valid yet"), "{said}");
    }
}

#[tokio::test]
async fn a_process_starts_with_its_own_certificate_only() {
    let house = House::new();
    let files = house.files("edge", &Identity::Edge);
    let error = load(&files, Expected::Store).unwrap_err();
    assert!(matches!(error, TrustError::SomebodyElse { .. }), "{error:?}");
    let error = error.to_string();
    assert!(error.contains("is for `edge`") && error.contains("must be `store`"), "{error}");
    fs::copy(house.files("other", &Identity::Edge).join("key.pem"), files.join("key.pem")).unwrap();
    let error = load(&files, Expected::Edge).unwrap_err();
    assert!(matches!(error, TrustError::Pair { .. }), "{error:?}");
    fs::remove_file(files.join("ca.pem")).unwrap();
    let error = load(&files, Expected::Edge).unwrap_err();
    assert!(matches!(error, TrustError::Unreadable { .. }), "{error:?}");
}

#[tokio::test]
async fn the_names_of_cert_manager_are_known() {
    let house = House::new();
    let files = house.files("edge", &Identity::Edge);
    for (ours, theirs) in [("ca.pem", "ca.crt"), ("cert.pem", "tls.crt"), ("key.pem", "tls.key")] {
        fs::rename(files.join(ours), files.join(theirs)).unwrap();
    }
    assert_eq!(load(&files, Expected::Edge).unwrap().identity(), Identity::Edge);
}

/// What a caller may not do is refused, counted, and its connection stays.
#[tokio::test]
async fn a_call_without_right_is_refused() {
    let house = House::new();
    let store = Service::start(Some(house.trust(&Identity::Store))).await;
    let channel = store.channel(&house.trust(&Identity::Forwarder(gemini())), Expected::Store);
    let refused = procedure(channel.clone(), "/keyward.store.v1.Catalog/Watch").await;
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
    assert!(refused.message().contains("`forwarder/gemini` gives no right"), "{refused:?}");
    assert_eq!(store.guard.refused(), 1);
    // What it may call is not there in this service, and so another answer comes.
    let absent = procedure(channel.clone(), "/keyward.store.v1.Vault/Watch").await;
    assert_eq!(absent.code(), Code::Unimplemented, "{absent:?}");
    ask(channel).await.unwrap();
    assert_eq!(store.guard.refused(), 1);
}

/// Calls a procedure that has empty messages.
async fn procedure(channel: Channel, path: &'static str) -> Status {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let codec = tonic_prost_codec();
    let request = tonic::Request::new(HealthCheckRequest::default());
    let answer = client.unary(request, http::uri::PathAndQuery::from_static(path), codec).await;
    answer.map(|_: tonic::Response<HealthCheckRequest>| ()).unwrap_err()
}

fn tonic_prost_codec() -> tonic_prost::ProstCodec<HealthCheckRequest, HealthCheckRequest> {
    tonic_prost::ProstCodec::default()
}

/// A stream that was begun before goes on, on the certificates that it was begun with; the next connection uses the new
/// ones, under a new authority.
#[tokio::test]
async fn new_certificates_are_used_and_no_stream_breaks() {
    let (old, new) = (House::new(), House::new());
    let (store_files, edge_files) =
        (old.files("store", &Identity::Store), old.files("edge", &Identity::Edge));
    let store = Arc::new(load(&store_files, Expected::Store).unwrap());
    let edge = Arc::new(load(&edge_files, Expected::Edge).unwrap());
    let service = Service::start(Some(Arc::clone(&store))).await;
    let before = service.channel(&edge, Expected::Store);
    let watched = HealthClient::new(before.clone()).watch(HealthCheckRequest::default()).await.unwrap();
    let mut watched = watched.into_inner();
    assert!(watched.message().await.unwrap().is_some());
    assert!(!store.refresh().unwrap() && !edge.refresh().unwrap());
    // Both authorities are believed while services change over.
    let both = [old.ca(), new.ca()].concat();
    for files in [&store_files, &edge_files] {
        fs::write(files.join("ca.pem"), &both).unwrap();
    }
    assert!(store.refresh().unwrap() && edge.refresh().unwrap());
    for (files, fresh) in [
        (&store_files, new.files("store", &Identity::Store)),
        (&edge_files, new.files("edge", &Identity::Edge)),
    ] {
        for file in ["cert.pem", "key.pem"] {
            fs::copy(fresh.join(file), files.join(file)).unwrap();
        }
    }
    assert!(store.refresh().unwrap());
    ask(service.channel(&edge, Expected::Store)).await.unwrap();
    assert!(edge.refresh().unwrap());
    ask(service.channel(&edge, Expected::Store)).await.unwrap();
    // Who knows the old authority only is refused by now.
    let said = ask(service.channel(&old.trust(&Identity::EdgeAdmin), Expected::Store)).await.unwrap_err();
    assert!(said.contains("none of the authorities"), "{said}");
    // The first stream is still there: another call of its connection is answered, and it has not ended.
    ask(before).await.unwrap();
    let ended = futures_util::future::poll_immediate(Box::pin(watched.message())).await;
    assert!(ended.is_none(), "{ended:?}");
}

#[tokio::test]
async fn broken_new_files_leave_the_old_in_use() {
    let house = House::new();
    let files = house.files("store", &Identity::Store);
    let store = Arc::new(load(&files, Expected::Store).unwrap());
    let service = Service::start(Some(Arc::clone(&store))).await;
    for (file, broken) in
        [("cert.pem", "nonsense"), ("key.pem", ""), ("ca.pem", "-----BEGIN CERTIFICATE-----\n")]
    {
        let whole = fs::read(files.join(file)).unwrap();
        fs::write(files.join(file), broken).unwrap();
        assert!(store.refresh().is_err(), "{file}");
        ask(service.channel(&house.trust(&Identity::Edge), Expected::Store)).await.unwrap();
        fs::write(files.join(file), whole).unwrap();
        assert!(!store.refresh().unwrap(), "{file}: as it was");
    }
    // Somebody else's certificate is not taken either.
    house.files("store", &Identity::Edge);
    assert!(matches!(store.refresh(), Err(TrustError::SomebodyElse { .. })));
    ask(service.channel(&house.trust(&Identity::Edge), Expected::Store)).await.unwrap();
}

/// Files are looked at without being told.
#[tokio::test]
async fn files_are_watched() {
    let house = House::new();
    let files = house.files("edge", &Identity::Edge);
    let edge = Arc::new(load(&files, Expected::Edge).unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(Trust::keep_fresh(Arc::clone(&edge), Duration::from_millis(5)));
    house.files("edge", &Identity::EdgeAdmin);
    tokio::time::timeout(PATIENCE, edge.renewed()).await.expect("the new certificate is taken");
    assert_eq!(edge.identity(), Identity::EdgeAdmin);
}
