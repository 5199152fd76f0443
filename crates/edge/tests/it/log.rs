//! Every call leaves one line, which holds what an operator asks for and no credential.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use serde_json::Value;

use crate::{
    client::{Client, UNARY, post},
    rig::{Reply, Rig, mapping},
};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines of calls.
    fn calls(&self) -> Vec<Value> {
        let lines = self.text();
        let parsed = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        parsed.filter(|line| line["target"] == telemetry::names::CALLS).collect()
    }
}

#[tokio::test]
async fn one_line_a_call_and_no_credential_in_any_line() {
    let lines = Lines::default();
    let writer = lines.clone();
    // The test's runtime has one thread, this one.
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing_subscriber::util::SubscriberInitExt::set_default(subscriber);
    let rig = Rig::new().await;
    let mut client = Client::connect(rig.address).await;
    let answer = r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3}}"#;
    rig.replies(Reply::json(200, answer));
    let credentials = "x-goog-api-key: canary\r\nauthorization: Bearer canary\r\nuser-agent: a%0d%0ab\r\n";
    let reply =
        client.ask(&post(&format!("{UNARY}?key=canary"), credentials, b"{\"secret\":\"canary\"}")).await;
    client.ask(&post(&UNARY.replace("chat", "missing"), credentials, b"{}")).await;
    let calls = lines.calls();
    assert_eq!(calls.len(), 2, "{calls:?}");
    let fields = &calls[0]["fields"];
    assert_eq!(fields["request_id"], reply.field("keyward-request-id").unwrap());
    assert_eq!(fields["mapping"], mapping(1).as_str());
    for (name, value) in [
        ("endpoint", "chat"),
        ("provider", "gemini"),
        ("model", "model-1"),
        ("outcome", "complete"),
        ("operation", "generateContent"),
        ("dialect", "gemini"),
    ] {
        assert_eq!(fields[name], value, "{name}");
    }
    for (name, value) in [("status", 200), ("attempt", 1), ("tokens_input", 7), ("tokens_output", 3)] {
        assert_eq!(fields[name], value, "{name}");
    }
    let fields = &calls[1]["fields"];
    assert_eq!(
        (&fields["outcome"], &fields["reason"], &fields["status"]),
        (&"failed".into(), &"endpoint".into(), &404.into())
    );
    let ours: Vec<String> =
        lines.text().lines().filter(|line| !line.contains("\"target\":\"hyper")).map(str::to_owned).collect();
    assert!(ours.iter().all(|line| !line.contains("canary")), "{ours:#?}");
}
