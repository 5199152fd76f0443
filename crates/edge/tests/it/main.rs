//! The integration tests of the edge, in one binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, and in what only tests call, a panic is the report"
)]

mod bad_inputs;
mod calls;
mod client;
mod dialects;
mod fidelity;
mod floods;
mod gone;
mod keys;
mod located;
mod log;
mod management;
mod overload;
mod panics;
mod process;
mod rig;
mod slow;
mod targets;
mod tls;
mod truncation;
