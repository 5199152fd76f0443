//! Client keys from the command line to the call: made once, scoped, rotated, revoked, and known on an edge that has lost
//! its store.

use std::{fs, path::Path};

use e2e::{House, PATIENCE, Plan, Run, Shape, keyward};
use serde_json::Value;

use crate::{in_both_shapes, published};

/// An address that nobody answers at.
const NOBODY: &str = "http://127.0.0.1:1";
const ASKS_FOR_KEYS: &str = "[access]\ndata = \"keys\"\n";

in_both_shapes!(a_key_opens_what_it_may_and_is_dead_when_revoked, a_key_is_written_nowhere);

async fn guarded(shape: Shape) -> Option<House> {
    published(Plan::new(shape).config(ASKS_FOR_KEYS)).await
}

async fn a_key_opens_what_it_may_and_is_dead_when_revoked(shape: Shape) {
    let Some(house) = guarded(shape).await else { return };
    assert_eq!(call(&house, "dummy").await, 401);
    let (id, key) = created(&house, "create search --note tests --expires-in 1d").await;
    assert_eq!(call(&house, &key).await, 200);
    let (_, narrow) = created(&house, "create other --endpoint another").await;
    assert_eq!(call(&house, &narrow).await, 403);

    let (_, new) = created(&house, &format!("rotate {id} --overlap 1h")).await;
    assert_eq!((call(&house, &key).await, call(&house, &new).await), (200, 200));
    // No wait in between: the answer to the change says that every edge has it.
    command(&house, &format!("revoke {id}")).await;
    assert_eq!((call(&house, &key).await, call(&house, &new).await), (401, 200));

    let listed: Value = serde_json::from_str(&command(&house, "list --json").await).unwrap();
    assert_eq!(listed["client_keys"].as_array().unwrap().len(), 3);
    let table = command(&house, "list").await;
    assert!(table.contains("revoked") && table.contains("live") && table.contains("another"), "{table}");
    command(&house, &format!("delete {id}")).await;
    assert_eq!(call(&house, &key).await, 401);
}

/// Neither in a log at trace level, nor in a file, nor in the database, nor in a snapshot.
async fn a_key_is_written_nowhere(shape: Shape) {
    let plan = Plan::new(shape).config(ASKS_FOR_KEYS).log("trace");
    let Some(house) = published(plan).await else { return };
    let (id, key) = created(&house, "create search").await;
    assert_eq!(call(&house, &key).await, 200);
    assert_eq!(call(&house, &key.replace("kw_", "kw-")).await, 401);
    command(&house, &format!("revoke {id}")).await;
    assert_eq!(call(&house, &key).await, 401);
    // The random part; the id is public.
    let secret = key.split('_').nth(2).unwrap();
    assert_eq!(secret.len(), 43);
    assert!(!house.said().contains(secret), "a process said it");
    assert!(house.said().contains(&id), "and who called is known");
    assert_eq!(holding(house.folder(), secret), [""; 0]);
    if let Some(database) = &house.database {
        let mut found = Vec::new();
        let look = |file: &str, bytes: &[u8]| {
            found.extend(memchr::memmem::find(bytes, secret.as_bytes()).map(|_| file.to_owned()));
        };
        database.each_file(look).await.unwrap();
        assert_eq!(found, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_without_its_store_knows_who_may_call() {
    let Some(mut house) = guarded(Shape::Apart).await else { return };
    let (id, revoked) = created(&house, "create gone").await;
    let (_, good) = created(&house, "create search").await;
    command(&house, &format!("revoke {id}")).await;
    house.process("store").unwrap().kill().await.unwrap();
    house.database.as_ref().unwrap().drop_by_force().await.unwrap();
    assert_eq!((call(&house, &good).await, call(&house, &revoked).await), (200, 401));

    // The same after a restart, from what lies on the edge's disk for its owner alone.
    let file = house.folder().join("snapshots/edge.callers");
    settled(&file, "revoked_at_ms\":1").await;
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    for role in ["edge", "forwarder"] {
        house.process(role).unwrap().kill().await.unwrap();
    }
    let forwarder = house.start_forwarder(NOBODY).await.unwrap();
    house.start_edge(NOBODY, &forwarder).await.unwrap();
    assert_eq!((call(&house, &good).await, call(&house, &revoked).await), (200, 401));
}

in_both_shapes!(the_audit_log_is_sound);

async fn the_audit_log_is_sound(shape: Shape) {
    let Some(house) = guarded(shape).await else { return };
    created(&house, "create search").await;
    let run = |arguments: &str| Run::new(&format!("audit {arguments} --url")).with(&house.url);
    let program = keyward().unwrap();
    let listed = run("list").finish(&program, house.folder(), b"").await.unwrap().success().unwrap();
    for action in ["secret.create", "secret.handover", "endpoint.create", "client_key.create"] {
        assert!(listed.contains(action), "{action}: {listed}");
    }
    assert!(!listed.contains(crate::KEY) && !listed.contains("kw_"), "{listed}");
    let verified = run("verify").finish(&program, house.folder(), b"").await.unwrap().success().unwrap();
    assert!(verified.contains("are as they were written"), "{verified}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_beyond_loopback_is_not_open_by_accident() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, says) in [
        ("serve --listen 0.0.0.0:0", "--client-keys"),
        ("serve --listen 0.0.0.0:0 --client-keys", "admins need no credential yet"),
    ] {
        let run = Run::new(arguments).with("--data-dir").with("data").with("--key-file").with("kek.key");
        let finished = run.finish(&keyward().unwrap(), folder.path(), b"").await.unwrap();
        assert_ne!(finished.code, Some(0));
        assert!(finished.stderr.contains(says), "{}", finished.stderr);
        assert!(!folder.path().join("data").exists(), "nothing was begun");
    }
}

/// Makes a key: its id, and the key.
async fn created(house: &House, arguments: &str) -> (String, String) {
    let said = command(house, &format!("{arguments} --json")).await;
    let answer: Value = serde_json::from_str(&said).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&answer["client_key"]["key_id"]), text(&answer["key"]))
}

/// `keyward key …`; what it printed.
async fn command(house: &House, arguments: &str) -> String {
    let run = Run::new(&format!("key {arguments} --url")).with(&house.url);
    let finished = run.finish(&keyward().unwrap(), house.folder(), b"").await.unwrap();
    finished.success().unwrap()
}

/// A call with this key; its status.
async fn call(house: &House, key: &str) -> u16 {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v1beta/models/gemini-v1:streamGenerateContent?alt=sse", house.gemini_url());
    let answer = http.post(url).header("x-goog-api-key", key).body("{}").send().await.unwrap();
    let status = answer.status().as_u16();
    answer.bytes().await.unwrap();
    status
}

/// Waits until a file holds this.
async fn settled(file: &Path, part: &str) {
    let found = async {
        let mut look = tokio::time::interval(std::time::Duration::from_millis(20));
        while !fs::read_to_string(file).is_ok_and(|text| text.contains(part)) {
            look.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap();
}

/// Files below a folder that hold this text.
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if path.is_file() && memchr::memmem::find(&fs::read(&path).unwrap(), text.as_bytes()).is_some()
        {
            found.push(path.display().to_string());
        }
    }
    found
}
