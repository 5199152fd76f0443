//! End-to-end tests, in one binary: the real `keyward`, the real clients, a scripted provider.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod apart;
mod calls;
mod canary;
mod cli;
mod custody;
mod demo;
mod disconnects;
mod drain;
mod errors;
mod fidelity;
mod keeping;
mod keys;
mod management;
mod pull_request;
mod sdks;
mod traces;
mod truncation;
mod trusted;
mod vertex;

use e2e::{House, Plan, Shape};
use provider_sim::recording;
use serde_json::{Value, json};

/// The key that tests store where the key itself is not their subject. Long enough to be masked in part.
const KEY: &str = "AIza-keyward-e2e-0123456789abcdef";
/// A recorded answer in three events; only the last one holds a `finishReason`.
const STREAM: &str = "stream_usage_cumulative_2.5_flash";

/// Makes of `async fn name(shape: Shape)` a test for each shape.
macro_rules! in_both_shapes {
    ($($name:ident),+ $(,)?) => { $(mod $name {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn serve() {
            super::$name(e2e::Shape::Serve).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn apart() {
            super::$name(e2e::Shape::Apart).await;
        }
    })+ };
}
use in_both_shapes;

/// A house with the endpoint `gemini-v1` published. None where this machine cannot run that shape.
async fn published(plan: Plan) -> Option<House> {
    published_with(plan, KEY).await
}

/// The same with a key of the test's own.
async fn published_with(plan: Plan, key: &str) -> Option<House> {
    let house = plan.start().await.unwrap()?;
    house.publish(key).await.unwrap();
    Some(house)
}

/// The same with nothing special.
async fn plain(shape: Shape) -> Option<House> {
    published(Plan::new(shape)).await
}

/// A case for the drivers in `clients/`, of the endpoint that [`published`] makes.
fn case(kind: &str) -> Value {
    json!({ "kind": kind, "model": "gemini-v1" })
}

fn recorded() -> &'static [u8] {
    recording(STREAM).unwrap()
}

/// Where each event of the recorded answer ends.
fn boundaries() -> Vec<usize> {
    let marks = recorded().windows(4).enumerate().filter(|(_, window)| *window == b"\r\n\r\n");
    marks.map(|(at, _)| at + 4).collect()
}

/// The text of the recorded answer, as a client puts it together, up to this many bytes of it.
fn text_until(at: usize) -> String {
    let whole = boundaries().into_iter().rfind(|end| *end <= at).unwrap_or(0);
    let stream = std::str::from_utf8(&recorded()[..whole]).unwrap();
    let events = stream.split_terminator("\r\n\r\n").map(|event| event.strip_prefix("data: ").unwrap());
    let texts = events.map(|event| {
        let event: Value = serde_json::from_str(event).unwrap();
        event["candidates"][0]["content"]["parts"][0]["text"].as_str().unwrap().to_owned()
    });
    texts.collect()
}
