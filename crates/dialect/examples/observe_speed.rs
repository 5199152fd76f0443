//! Prints what watching a stream costs: `cargo run --release -p dialect --example observe_speed`. Asserts no time.
#![expect(clippy::print_stdout, reason = "a tool that prints")]

use std::{fs, hint::black_box, path::Path, time::Instant};

use dialect::{Completeness, Framing, Observer, Operation};

const ROUNDS: u32 = 2_000;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../provider-sim/recordings/gemini");
    for name in ["stream_usage_cumulative_2.5_flash.sse", "stream_thought_summaries_2.5_pro.sse"] {
        let bytes = fs::read(folder.join(name))?;
        for piece in [64, 1024, 16 * 1024] {
            let begin = Instant::now();
            for _ in 0..ROUNDS {
                let mut observer = Observer::new(Operation::StreamGenerateContent, Framing::Sse, true);
                for piece in black_box(&bytes).chunks(piece) {
                    observer.observe(piece);
                }
                assert_eq!(black_box(&observer).completeness(), Completeness::Complete);
            }
            let nanoseconds = begin.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS);
            let pieces = bytes.len().div_ceil(piece);
            println!("{name}: {} bytes in {pieces} pieces: {nanoseconds:.0} ns a stream", bytes.len());
        }
    }
    Ok(())
}
