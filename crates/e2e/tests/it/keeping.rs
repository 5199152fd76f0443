//! What was administered is kept: over a crash, in a backup; and it is opened by its own key only.

use std::fs;

use e2e::{House, Run, Shape, keyward};
use serde_json::Value;

use crate::{in_both_shapes, plain, recorded};

in_both_shapes!(a_crash_loses_nothing);

async fn a_crash_loses_nothing(shape: Shape) {
    let Some(mut house) = plain(shape).await else { return };
    let before = administered(&house).await;
    let roles: Vec<&str> = house.processes().map(|(role, _)| *role).collect();
    for role in roles {
        house.process(role).unwrap().kill().await.unwrap();
    }
    house.restart().await.unwrap();
    assert_eq!(administered(&house).await, before);
    call(&house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_restored_into_a_new_folder() {
    let Some(mut house) = plain(Shape::Serve).await else { return };
    let before = administered(&house).await;
    // While it runs, as a nightly job does.
    done(&house, "backup copy --data-dir data --key-file kek.key").await;
    stop(&mut house).await;
    fs::remove_dir_all(house.folder().join("data")).unwrap();
    let (code, said) = run(&house, "backup copy --data-dir data --key-file kek.key").await;
    assert_ne!(code, Some(0), "a backup that is there is not overwritten: {said}");
    done(&house, "restore copy --data-dir restored --key-file kek.key").await;
    let (code, said) = run(&house, "restore copy --data-dir restored --key-file kek.key").await;
    assert_ne!(code, Some(0), "a folder that holds a database is not overwritten: {said}");
    house.start_serve_on("restored", "kek.key").await.unwrap();
    assert_eq!(administered(&house).await, before);
    call(&house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_is_refused_and_changes_nothing() {
    let Some(mut house) = plain(Shape::Serve).await else { return };
    let before = administered(&house).await;
    stop(&mut house).await;
    house.start_serve_on("elsewhere", "another.key").await.unwrap();
    stop(&mut house).await;

    let serve = "serve --listen 127.0.0.1:0 --data-dir data --key-file";
    // Twice: the first attempt must not have made the key a known one.
    for _ in 0..2 {
        let (code, said) = run(&house, &format!("{serve} another.key")).await;
        assert_ne!(code, Some(0));
        assert!(said.contains("another.key"), "names the file: {said}");
        // A file that is not there is not made anew either: the database has a key already.
        let (code, said) = run(&house, &format!("{serve} missing.key")).await;
        assert_ne!(code, Some(0));
        assert!(said.contains("missing.key"), "names the file: {said}");
        assert!(!house.folder().join("missing.key").exists());
    }

    house.start_serve_on("data", "kek.key").await.unwrap();
    assert_eq!(administered(&house).await, before);
    call(&house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_is_refused() {
    let Some(house) = plain(Shape::Serve).await else { return };
    let (code, said) = run(&house, "serve --listen 127.0.0.1:0 --data-dir data --key-file kek.key").await;
    assert_ne!(code, Some(0), "{said}");
    call(&house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_finds_what_is_wrong() {
    let Some(mut house) = plain(Shape::Serve).await else { return };
    stop(&mut house).await;
    let doctor = "doctor --data-dir data --key-file kek.key";
    done(&house, doctor).await;
    fs::rename(house.folder().join("kek.key"), house.folder().join("lost")).unwrap();
    let (code, said) = run(&house, doctor).await;
    assert_ne!(code, Some(0), "{said}");
    assert!(said.contains("kek.key"), "names the file: {said}");
}

/// All that the management API lists.
async fn administered(house: &House) -> Vec<Value> {
    let admin = house.admin().unwrap();
    let mut lists = Vec::new();
    for path in ["secrets/list", "model-definitions/list", "endpoints/list"] {
        let answer = admin.get(path).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text);
        lists.push(answer.json());
    }
    assert_eq!(lists[2]["endpoints"][0]["name"], "gemini-v1");
    lists
}

async fn call(house: &House) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v1beta/models/gemini-v1:streamGenerateContent?alt=sse", house.gemini_url());
    let answer = http.post(url).body("{}").send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap().as_ref(), recorded());
}

async fn stop(house: &mut House) {
    let front = house.front().unwrap();
    front.terminate().unwrap();
    assert_eq!(front.ended().await.unwrap(), Some(0), "{}", front.text());
}

async fn done(house: &House, command: &str) -> String {
    let (code, said) = run(house, command).await;
    assert_eq!(code, Some(0), "{command}: {said}");
    said
}

async fn run(house: &House, command: &str) -> (Option<i32>, String) {
    let finished = Run::new(command).finish(&keyward().unwrap(), house.folder(), b"").await.unwrap();
    (finished.code, finished.stdout + &finished.stderr)
}
