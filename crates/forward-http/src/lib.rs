//! The one way out to a provider.
#![doc = include_str!("../README.md")]

pub mod egress;
#[cfg(feature = "suite")]
pub mod suite;

mod answer;
mod clock;
mod config;
mod connect;
mod credential;
mod error;
mod forwarder;
mod grant;
mod headers;
mod held;
mod kept;
mod mask;
mod patience;
mod pool;
mod prepared;
mod proxy;
mod ready;
mod reframe;
mod sigv4;
mod splice;
mod tls;
mod tokens;
mod upload;
mod wire;

pub use clock::Clock;
pub use config::{Config, Outbound};
pub use credential::{CredentialHeader, secret, secret_if_any, setting};
pub use egress::CheckedBase;
pub use forwarder::HttpForwarder;
pub use grant::{Assertion, Grant};
pub use headers::Family;
pub use proxy::{Proxy, ProxyError};
pub use reframe::Reframe;
pub use sigv4::SigningKey;
pub use splice::spliced;
pub use tls::TlsError;
pub use wire::{Route, Wire, split_version};
