//! Scripted providers for tests, demo and load.
#![doc = include_str!("../README.md")]

mod answer;
mod base64;
mod book;
mod control;
mod gate;
mod http1;
mod http2;
pub mod load;
mod log;
mod provider;
mod recordings;
mod script;
mod shared;
mod sim;
mod tls;
mod wire;
mod words;

pub use book::Match;
pub use gate::Gate;
pub use log::{BodyFraming, Connection, Ended, Ending, NotSeen, PATIENCE, Protocol, Received};
pub use recordings::{recording, recordings};
pub use script::{Act, Body, Cut, End, Framing, Pause, Script, Split};
pub use sim::{Builder, Sim};
pub use words::PREFIX;
