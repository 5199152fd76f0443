//! Services apart know each other by certificates; who has the wrong one, or none, is told so.

use std::fs;

use e2e::{House, Plan, Run, Shape, keyward};
use provider_sim::{Match, Script};

use crate::{plain, published, recorded};

/// Files are looked at so often that a test need not wait.
const SOON: &str = "[trust]\nreload_interval = \"20ms\"";

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn url(house: &House) -> String {
    format!("{}/v1beta/models/gemini-v1:streamGenerateContent?alt=sse", house.gemini_url())
}

async fn call(house: &House) {
    let answer = client().post(url(house)).body("{}").send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap(), recorded(), "{}", house.said());
}

/// Runs a role that is to be refused, until it says this; what it said.
async fn says(house: &House, run: Run, expected: &str) {
    let run = run.variable("KEYWARD_LOG", "info");
    let mut process = run.start(&keyward().unwrap(), house.folder()).unwrap();
    process.wait_for(expected).await.unwrap();
}

/// Runs a role that does not start, and says this.
async fn does_not_start(house: &House, run: Run, expected: &str) {
    let finished = run.finish(&keyward().unwrap(), house.folder(), b"").await.unwrap();
    assert!(finished.code == Some(1) && finished.stderr.contains(expected), "{finished:?}");
}

/// Certificates of another house.
async fn foreign(house: &House) {
    let run = Run::new("certs init foreign");
    run.finish(&keyward().unwrap(), house.folder(), b"").await.unwrap().success().unwrap();
}

/// Who watches the store as a forwarder, with the files of this folder.
fn forwarder(store: &str, certificates: Option<&str>) -> Run {
    let run = Run::new("forwarder gemini --listen 127.0.0.1:0 --node-key other/node.key --store").with(store);
    match certificates {
        Some(folder) => run.with("--tls-dir").with(folder),
        None => run,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_text_on_loopback_needs_no_certificate() {
    let Some(house) = published(Plan::new(Shape::Apart).plain()).await else { return };
    assert!(house.store_url().starts_with("http://"), "{}", house.store_url());
    call(&house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_the_wrong_certificate_is_told_so() {
    let Some(mut house) = plain(Shape::Apart).await else { return };
    let store = house.store_url().to_owned();
    assert!(store.starts_with("https://"), "{store}");
    foreign(&house).await;
    // Another authority's, on either side.
    let run = forwarder(&store, Some("foreign/forwarder-gemini"));
    says(&house, run, "issued by none of the authorities in the CA file").await;
    // Another service's.
    let run = forwarder(&store, Some("certs/edge"));
    does_not_start(&house, run, "is for `edge`, and this process must be `forwarder/gemini`").await;
    // None at all: the address alone says that one is needed.
    does_not_start(&house, forwarder(&store, None), "an `https` address needs certificates").await;
    // Plain text to a port of TLS: the store says who came.
    let spoken = store.replace("https://", "http://");
    let mut lost = forwarder(&spoken, None).start(&keyward().unwrap(), house.folder()).unwrap();
    lost.wait_for("listening on ").await.unwrap();
    house.process("store").unwrap().wait_for("it speaks plain text, not TLS").await.unwrap();
    // Beyond loopback nobody listens in plain text by accident.
    let run = Run::new("forwarder gemini --listen 0.0.0.0:0 --node-key other/node.key --store").with(&spoken);
    does_not_start(&house, run, "`--insecure-internal`").await;
    call(&house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_to_a_port_of_plain_text_is_told_so() {
    let Some(house) = published(Plan::new(Shape::Apart).plain()).await else { return };
    foreign(&house).await;
    let store = house.store_url().replace("http://", "https://");
    says(&house, forwarder(&store, Some("foreign/forwarder-gemini")), "no TLS with").await;
}

/// An edge without the admin plane's certificate cannot write, and one that has the plane does not start without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_admin_planes_certificate_writes() {
    let Some(mut house) = plain(Shape::Apart).await else { return };
    let run =
        Run::new("edge --listen 127.0.0.1:0 --forwarder gemini=http://127.0.0.1:1 --tls-dir certs/edge");
    let run = run.with("--store").with(house.store_url());
    does_not_start(&house, run, "the certificate is for `edge`, which may not write").await;
    house.start_data_edge().await.unwrap();
    call(&house).await;
}

/// A forwarder refuses what no edge has let in, although a certificate of an edge brings it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_no_edge_states_is_refused() {
    let Some(mut house) = plain(Shape::Apart).await else { return };
    call(&house).await;
    let edge = house.folder().join("certs/edge/admission.key");
    fs::write(edge, format!("{}\n", "5a".repeat(32))).unwrap();
    house.start_data_edge().await.unwrap();
    house.sim.clear();
    let answer = client().post(url(&house)).body("{}").send().await.unwrap();
    assert_eq!(answer.status(), 503, "{}", house.said());
    assert!(house.sim.requests().is_empty(), "nothing reached the provider");
    house.process("forwarder").unwrap().wait_for("not admitted by an edge").await.unwrap();
}

/// New connections are made with new certificates; a stream that runs does not break.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_replaced_while_streams_run() {
    let Some(mut house) = published(Plan::new(Shape::Apart).config(SOON)).await else { return };
    call(&house).await;
    let script = Script::bytes(recorded()).pause(100, "renewed");
    house.sim.script_once(Match::any(), script);
    let mut stream = client().post(url(&house)).body("{}").send().await.unwrap();
    let mut received = stream.chunk().await.unwrap().unwrap().to_vec();
    house.renew_certificates().await.unwrap();
    for role in ["store", "forwarder", "edge"] {
        house.process(role).unwrap().wait_for("new certificates are in use").await.unwrap();
    }
    // A process that comes now has seen no other certificates, nor have those that it connects to.
    house.start_data_edge().await.unwrap();
    call(&house).await;
    house.sim.gate("renewed").open();
    while let Some(chunk) = stream.chunk().await.unwrap() {
        received.extend_from_slice(&chunk);
    }
    assert_eq!(received, recorded());
}
