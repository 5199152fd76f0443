//! Prints what a check costs: `cargo run --release -p access --example check_speed`. Asserts no time.
#![expect(clippy::print_stdout, reason = "a tool that prints")]

use std::{collections::HashMap, error::Error, hint::black_box, time::Instant};

use access::{Key, KeyId, Kind, Pepper, PepperId, Record, Verifier};

const KEYS: u32 = 10_000;
const ROUNDS: u32 = 200_000;

fn key(number: u32) -> Key {
    let mut secret = [7; 32];
    secret[..4].copy_from_slice(&number.to_be_bytes());
    Key::mint(Kind::Client, u64::from(number) + 1, &secret)
}

fn main() -> Result<(), Box<dyn Error>> {
    let material: Vec<u8> = (0..32).collect();
    let verifier = Verifier::new(Kind::Client, Pepper::derive(PepperId(1), &material, Kind::Client)?);
    let mut records: HashMap<KeyId, Record> =
        (0..KEYS).map(|number| verifier.record(&key(number))).map(|record| (record.key_id, record)).collect();
    let revoked = key(1);
    records.entry(revoked.key_id()).and_modify(|record| record.revoke(0));
    let mismatch = Key::mint(Kind::Client, 1, &[8; 32]);
    for (what, presented) in [
        ("good", key(0).expose()),
        ("mismatch", mismatch.expose()),
        ("revoked", revoked.expose()),
        ("unknown", key(KEYS).expose()),
        ("malformed", "dummy"),
    ] {
        let begin = Instant::now();
        let mut accepted = 0_u32;
        for _ in 0..ROUNDS {
            let outcome = verifier.check(black_box(presented.as_bytes()), |id| records.get(id), 1);
            accepted += u32::from(black_box(outcome).is_ok());
        }
        let nanoseconds = begin.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS);
        println!("{what}: {nanoseconds:.0} ns a check, {accepted} of {ROUNDS} accepted");
    }
    Ok(())
}
