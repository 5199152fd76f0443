//! The one way out to a provider.
#![doc = include_str!("../README.md")]

pub mod egress;
#[cfg(feature = "suite")]
pub mod suite;

mod answer;
mod config;
mod connect;
mod error;
mod forwarder;
mod headers;
mod mask;
mod patience;
mod pool;
mod prepared;
mod proxy;
mod splice;
mod tls;
mod upload;
mod wire;

pub use config::{Config, Outbound};
pub use egress::CheckedBase;
pub use forwarder::HttpForwarder;
pub use headers::Family;
pub use proxy::{Proxy, ProxyError};
pub use splice::spliced;
pub use tls::TlsError;
pub use wire::{CredentialHeader, Route, Wire, split_version};
