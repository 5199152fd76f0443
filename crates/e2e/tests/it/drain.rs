//! Told to stop, Keyward finishes what runs; told twice, it ends it with an error in the dialect and an abort.

use e2e::{House, Shape};
use provider_sim::{Match, Script};

use crate::{boundaries, in_both_shapes, plain, recorded};

in_both_shapes!(a_running_stream_is_finished, a_second_signal_ends_it, an_idle_process_ends_at_once);

/// A stream of which the first event has arrived; the provider waits at `gate` with the rest.
async fn begun(house: &House) -> (reqwest::Response, Vec<u8>) {
    house.sim.script(Match::any(), Script::default().gate_pieces("gate"));
    house.sim.gate("gate").pass(1);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v1beta/models/gemini-v1:streamGenerateContent?alt=sse", house.gemini_url());
    let mut answer = http.post(url).body("{}").send().await.unwrap();
    let mut read = Vec::new();
    while read.len() < boundaries()[0] {
        read.extend_from_slice(&answer.chunk().await.unwrap().unwrap());
    }
    (answer, read)
}

async fn a_running_stream_is_finished(shape: Shape) {
    let Some(mut house) = plain(shape).await else { return };
    let (mut answer, mut read) = begun(&house).await;
    house.front().unwrap().terminate().unwrap();
    house.front().unwrap().wait_for("stopping").await.unwrap();
    house.sim.gate("gate").open();
    while let Some(chunk) = answer.chunk().await.unwrap() {
        read.extend_from_slice(&chunk);
    }
    assert_eq!(read, recorded());
    let front = house.front().unwrap();
    assert_eq!(front.ended().await.unwrap(), Some(0), "{}", front.text());
}

async fn a_second_signal_ends_it(shape: Shape) {
    let Some(mut house) = plain(shape).await else { return };
    let (mut answer, mut read) = begun(&house).await;
    house.front().unwrap().terminate().unwrap();
    house.front().unwrap().wait_for("stopping").await.unwrap();
    house.front().unwrap().terminate().unwrap();
    let broken = loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => read.extend_from_slice(&chunk),
            ended => break ended,
        }
    };
    assert!(broken.is_err(), "ended as if it were complete: {}", String::from_utf8_lossy(&read));
    let told = read.strip_prefix(&recorded()[..boundaries()[0]]).unwrap();
    let told = String::from_utf8(told.to_vec()).unwrap();
    let frame = told.strip_prefix("data: ").and_then(|rest| rest.strip_suffix("\r\n\r\n"));
    let frame = frame.unwrap_or_else(|| panic!("an error frame instead of {told:?}"));
    assert!(frame.starts_with(r#"{"error":{"code":"#), "{frame}");
    let frame: serde_json::Value = serde_json::from_str(frame).unwrap();
    assert_eq!(frame["error"]["status"], "UNAVAILABLE", "{frame}");
    house.front().unwrap().ended().await.unwrap();
    // The provider's connection went with it.
    assert!(house.sim.wait_for_end(1).await.unwrap().how.by_peer());
}

async fn an_idle_process_ends_at_once(shape: Shape) {
    let Some(mut house) = plain(shape).await else { return };
    // In the order in which an operator would stop them, and with connections between them open.
    let roles: Vec<&str> = house.processes().map(|(role, _)| *role).collect();
    for role in roles.into_iter().rev() {
        let process = house.process(role).unwrap();
        process.terminate().unwrap();
        assert_eq!(process.ended().await.unwrap(), Some(0), "{role}: {}", process.text());
    }
}
