//! The store's seams behind a wire, both ends.
//!
#![doc = include_str!("../README.md")]

mod channel;
mod client;
mod convert;
mod failure;
mod server;
pub mod snapshot;
mod trace;

pub use channel::{channel, server, tuned};
pub use client::{Inject, Remote};
pub use server::serve;
pub use trace::Extract;
