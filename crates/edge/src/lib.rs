//! HTTP in.
#![doc = include_str!("../README.md")]

pub mod management;

mod accept;
mod call;
mod config;
mod edge;
mod health;
mod hygiene;
mod inbound;
mod models;
mod outgoing;
mod overload;
mod policy;
mod probes;
mod problem;
mod service;

pub use accept::{Planes, Serving, serve};
pub use config::{Config, Connections, Http2, Limits, Overload, Requests, Retries};
pub use edge::{Edge, Forwarder};

pub use policy::{Keys, Policy};

pub(crate) use outgoing::Outgoing;
pub(crate) use problem::Problem;
