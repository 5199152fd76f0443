//! When the client goes, the provider's connection goes: before headers and mid-stream, over HTTP/1.1 and HTTP/2.

use std::time::Instant;

use e2e::{House, Plan, Provider, Sdk, Shape, calls};
use provider_sim::{Match, Script};

use crate::{case, in_both_shapes, published};

in_both_shapes!(the_provider_sees_it, an_sdk_that_leaves_is_seen);

/// Clients that leave, of each kind; how long the provider waited for the news is printed.
const ROUNDS: u64 = 20;

#[expect(clippy::print_stdout, reason = "a figure, shown and never asserted")]
async fn the_provider_sees_it(shape: Shape) {
    for provider in [Provider::Http1, Provider::Http2] {
        let Some(house) = published(Plan::new(shape).provider(provider)).await else { return };
        for http2 in [false, true] {
            for before_headers in [true, false] {
                let mut waited = Vec::new();
                house.sim.clear();
                for round in 1..=ROUNDS {
                    waited.push(leave(&house, http2, before_headers, round).await);
                }
                waited.sort_unstable();
                let (half, last) = (waited[waited.len() / 2], waited[waited.len() - 1]);
                println!(
                    "{shape:?}, client HTTP/{}, provider {provider:?}, {}: half within {half:?}, all {ROUNDS} within {last:?}",
                    if http2 { "2" } else { "1.1" },
                    if before_headers { "before headers" } else { "mid-stream" },
                );
            }
        }
    }
}

/// One client that goes away; how long until the provider saw it.
async fn leave(house: &House, http2: bool, before_headers: bool, round: u64) -> std::time::Duration {
    let gate = format!("{http2}-{before_headers}-{round}");
    let script = Script::default();
    let script = if before_headers { script.gate_head(&gate) } else { script.gate_pieces(&gate) };
    house.sim.script_once(Match::any(), script);
    let builder = reqwest::Client::builder().no_proxy();
    let http = if http2 { builder.http2_prior_knowledge() } else { builder }.build().unwrap();
    let url = format!("{}/v1beta/models/gemini-v1:streamGenerateContent?alt=sse", house.gemini_url());
    let call = http.post(url).body("{}").send();
    let gone = if before_headers {
        // Dropped as soon as the provider has the request.
        tokio::select! {
            answer = call => panic!("answered before the provider did: {answer:?}"),
            reached = async { house.sim.gate(&gate).reached(1).await } => reached.unwrap(),
        }
        Instant::now()
    } else {
        house.sim.gate(&gate).pass(1);
        let mut answer = call.await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.chunk().await.unwrap().is_some());
        house.sim.gate(&gate).reached(2).await.unwrap();
        drop(answer);
        Instant::now()
    };
    let ended = house.sim.wait_for_end(round).await.unwrap();
    assert!(ended.how.by_peer(), "round {round}: {ended:?}");
    gone.elapsed()
}

async fn an_sdk_that_leaves_is_seen(shape: Shape) {
    let Some(house) = published(Plan::new(shape)).await else { return };
    for (number, sdk) in (1..).zip(Sdk::ALL) {
        let gate = format!("{sdk:?}");
        house.sim.script_once(Match::any(), Script::default().gate_pieces(&gate));
        house.sim.gate(&gate).pass(1);
        let outcomes =
            calls(sdk, house.folder(), &house.gemini_url(), &[case("leave_stream")]).await.unwrap();
        let Some(outcomes) = outcomes else { return };
        assert_eq!(outcomes[0]["chunks"], 1, "{sdk:?} {}", outcomes[0]);
        let ended = house.sim.wait_for_end(number).await.unwrap();
        assert!(ended.how.by_peer(), "{sdk:?}: {ended:?}");
    }
}
