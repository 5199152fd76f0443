//! The process that faces the network never holds a provider's key: shown by reading all of its memory.

use std::collections::BTreeSet;

use e2e::{House, Plan, Shape, memory};
use provider_sim::{Match, Script};
use serde_json::json;

use crate::{canary::Canary, published_with, recorded};

/// Calls before its memory is read; all of them with `--all`.
const CALLS: usize = 200;
const ALL_CALLS: usize = 10_000;

/// The edge of applications, apart, which has no admin plane: what admins type does not pass through it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_of_an_edge_holds_no_provider_key() {
    let canary = Canary::new();
    let Some(mut house) = published_with(Plan::new(Shape::Apart), &canary.key).await else { return };
    house.start_data_edge().await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/v1beta/models/gemini-v1:streamGenerateContent?alt=sse", house.gemini_url());
    // A provider that quotes the key it was given is masked before the edge sees it.
    let message = format!("API key not valid: {}", canary.key);
    let quoted = json!({ "error": { "code": 400, "status": "INVALID_ARGUMENT", "message": message } });
    house.sim.script_once(Match::any(), Script::bytes(quoted.to_string()).with_status(400));
    assert_eq!(http.post(&url).body("{}").send().await.unwrap().status(), 400);
    for _ in 0..if e2e::all() { ALL_CALLS } else { CALLS } {
        let answer = http.post(&url).body("{}").send().await.unwrap();
        assert_eq!(answer.bytes().await.unwrap(), recorded(), "{}", house.said());
    }
    assert_eq!(found(&mut house, "data-edge", &canary), BTreeSet::new());
    // A search that finds nothing proves nothing unless it finds what is there.
    assert!(found(&mut house, "forwarder", &canary).contains("raw"));
}

/// The spellings of the key in the memory of who plays this role.
fn found(house: &mut House, role: &str, canary: &Canary) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    memory::each_piece(house.process(role).unwrap(), |piece| found.extend(canary.found(piece))).unwrap();
    found
}
