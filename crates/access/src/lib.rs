//! Who may do what: client keys, admin tokens, scopes, roles, and the chain of the audit log.
#![doc = include_str!("../README.md")]

mod action;
pub mod audit;
mod base62;
mod derive;
mod key;
mod pepper;
mod presented;
mod record;
mod role;
mod scope;
mod verifier;

pub use action::Action;
pub use derive::MaterialError;
pub use key::{Key, KeyId, Kind, NotAKey, NotAKeyId};
pub use pepper::{Mac, Pepper, PepperId};
pub use presented::{Place, Presented, PresentedError};
pub use record::{Record, Standing};
pub use role::{NotARole, Role, Roles};
pub use scope::{Only, Scope, ScopeError};
pub use verifier::{Reason, Refused, Verifier};
