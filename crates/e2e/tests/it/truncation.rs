//! A stream that was cut is never taken for success. A sample of cuts of a named size; `cargo xtask test --all` cuts at every
//! byte (and then falls silent at twenty times as many).

use e2e::{Plan, Sdk, Shape, all, calls};
use provider_sim::{Cut, Script};
use serde_json::{Value, json};

use crate::{boundaries, case, in_both_shapes, published, recorded, text_until};

in_both_shapes!(a_cut_stream_is_never_a_success, a_whole_stream_is_one);

/// Cuts of each kind, spread evenly over the stream.
const SAMPLE: usize = 40;
/// Cuts after which nothing more comes: each takes the idle limit.
const SILENT_SAMPLE: usize = 3;

/// Offsets before the `finishReason`, without which the answer is not complete. Wherever an event has just come, with its
/// blank line or without, an SDK that sees a clean end there takes the answer for whole: those are always among them.
fn offsets(count: usize) -> Vec<usize> {
    let end = recorded().windows(14).position(|window| window == b"\"finishReason\"").unwrap();
    let count = match count {
        SILENT_SAMPLE if all() => SILENT_SAMPLE * 20,
        _ if all() => end,
        _ => count,
    };
    let tempting = boundaries().into_iter().flat_map(|at| [at - 4, at - 2, at]).filter(|at| *at < end);
    let spread = (0..count).map(|n| n * end / count);
    let mut offsets: Vec<_> =
        if count < SAMPLE { spread.collect() } else { spread.chain(tempting).collect() };
    offsets.sort_unstable();
    offsets.dedup();
    offsets
}

async fn a_cut_stream_is_never_a_success(shape: Shape) {
    let plan = Plan::new(shape).config("[edge.limits]\nidle = \"2s\"");
    let Some(house) = published(plan).await else { return };
    for sdk in [Sdk::Python, Sdk::JavaScript] {
        for (how, count) in
            [(Cut::Clean, SAMPLE), (Cut::Close, SAMPLE), (Cut::Reset, SAMPLE), (Cut::Silence, SILENT_SAMPLE)]
        {
            let offsets = offsets(count);
            house.play(&offsets.iter().map(|at| Script::default().cut(*at, how)).collect::<Vec<_>>());
            let cases = vec![case("stream"); offsets.len()];
            let outcomes = calls(sdk, house.folder(), &house.gemini_url(), &cases).await.unwrap();
            let Some(outcomes) = outcomes else { continue };
            for (at, outcome) in offsets.iter().zip(&outcomes) {
                assert_eq!(outcome["outcome"], "raised", "{sdk:?} {how:?} at {at}: {outcome}");
                assert_eq!(outcome["finish_reason"], Value::Null, "{sdk:?} {how:?} at {at}");
                let text = outcome["text"].as_str().unwrap();
                assert!(text_until(*at).starts_with(text), "{sdk:?} {how:?} at {at}: {text}");
            }
        }
    }
}

/// However the bytes are cut into packets, and whatever frames them.
async fn a_whole_stream_is_one(shape: Shape) {
    use provider_sim::{Framing, Split};
    let Some(house) = published(Plan::new(shape)).await else { return };
    let scripts = [
        Script::default().split(Split::EveryByte),
        Script::default().split(Split::Every(7)),
        Script::default().split(Split::Whole).framing(Framing::Length),
        Script::default().framing(Framing::Close),
        // Nothing is missing: the mark of completeness has come.
        Script::default().cut(recorded().len(), Cut::Clean),
    ];
    for sdk in [Sdk::Python, Sdk::JavaScript] {
        house.play(&scripts);
        let cases = vec![case("stream"); scripts.len()];
        let outcomes = calls(sdk, house.folder(), &house.gemini_url(), &cases).await.unwrap();
        for outcome in outcomes.into_iter().flatten() {
            assert_eq!(outcome["outcome"], "ok", "{sdk:?} {outcome}");
            assert_eq!(outcome["text"], text_until(recorded().len()).as_str());
            assert_eq!(outcome["finish_reason"], json!("STOP"));
        }
    }
}
