//! Prints what finding the model in a large body and putting another one in its place costs:
//! `cargo run --release -p forward-http --example splice_speed`. Asserts no time.
#![expect(clippy::print_stdout, reason = "a tool that prints")]

use std::{hint::black_box, time::Instant};

use bytes::Bytes;
use dialect::{Operation, told};
use forward::{Splice, SpliceForm};
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;

const ROUNDS: u32 = 50;

fn main() {
    let image = "iVBORw0KGgo".repeat((10 << 20) / 11);
    let messages = r#"{"role":"user","content":"a \"short\" message\n"},"#.repeat((10 << 20) / 50);
    for (what, body) in [
        (
            "one image",
            format!(r#"{{"messages":[{{"content":"{image}"}}],"stream":true,"model":"endpoint"}}"#),
        ),
        ("short messages", format!(r#"{{"messages":[{messages}null],"stream":true,"model":"endpoint"}}"#)),
    ] {
        let body = Bytes::from(body);
        let begin = Instant::now();
        let mut written = 0;
        for _ in 0..ROUNDS {
            written += spliced(black_box(&body));
        }
        let seconds = begin.elapsed().as_secs_f64();
        let megabytes = u32::try_from(body.len() / 1_000_000).unwrap_or(u32::MAX);
        let rate = f64::from(ROUNDS) * f64::from(megabytes) / seconds / 1e3;
        println!("{what}: {} bytes, {rate:.2} GB/s ({written} bytes written)", body.len());
    }
}

/// Finds, splices, and takes what comes; how many bytes came.
#[expect(clippy::unwrap_used, reason = "a tool on its own input")]
fn spliced(body: &Bytes) -> usize {
    let (_, told) = told(Operation::ChatCompletions, "application/json", body).unwrap().unwrap();
    let splices: Vec<Splice> = told
        .models
        .iter()
        .map(|mention| Splice {
            at: mention.at.start as u64,
            length: mention.at.len() as u64,
            form: SpliceForm::Json,
        })
        .collect();
    let length = Some(body.len() as u64);
    let (mut spliced, _) =
        forward_http::spliced(forward::full(body.clone()), length, &splices, "provider-model").unwrap();
    let mut written = 0;
    while let Some(frame) = spliced.frame().now_or_never().unwrap() {
        written += frame.unwrap().into_data().unwrap().len();
    }
    written
}
