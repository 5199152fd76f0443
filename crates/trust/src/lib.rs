//! Which service is which, and what it may ask of another.
//!
#![doc = include_str!("../README.md")]

mod accept;
mod admission;
mod authority;
mod connect;
mod error;
mod files;
mod guard;
mod identity;
mod peer;
mod rules;
mod seldom;
mod trust;
mod verify;

pub use accept::{Connection, HANDSHAKE_MAX, incoming};
pub use admission::{ADMISSION_AGE_MAX, Admission, AdmissionKeys, Statement};
pub use authority::{Authority, Issued, Lifetime};
pub use connect::{Connector, DialError};
pub use error::TrustError;
pub use files::Files;
pub use guard::{Guard, GuardLayer};
pub use identity::{Domain, Expected, Identity, Kind};
pub use peer::{Peer, Who, may_watch};
pub use rules::{Allowed, allowed};
pub use seldom::Seldom;
pub use trust::{RELOAD_EVERY, Trust};
