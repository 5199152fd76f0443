//! `Forward` behind a wire, both ends.
//!
#![doc = include_str!("../README.md")]

mod admission;
mod channel;
mod convert;
mod failure;
mod remote;
mod sentence;
mod service;
mod trace;

pub use admission::Admitted;
pub use channel::{STREAM_WINDOW, channel, server, tuned};
pub use remote::{Inject, Remote};
pub use service::{serve, serve_admitted};
pub use trace::Extract;

/// The longest piece of a body in one message, in bytes.
const PIECE_MAX: usize = 256 * 1024;

/// The longest message either side takes, in bytes: a piece, or a head with all the fields an HTTP server lets through.
const MESSAGE_MAX: usize = 2 * PIECE_MAX;
