//! Where provider calls may go: the rules for a base URL, for an address, and the check at connect.
//!
//! The rules act twice. [`check_url`] is pure and runs when an admin writes an `api_base` and again when a target is
//! first used; [`resolve_and_check`] runs in the connector, on the addresses that are then dialled, so that a name
//! cannot mean one address when it is checked and another when it is called. What is not allowed here cannot be
//! reached: there is no other way out.
//!
//! The default is `https`, port 443, and addresses that are globally routable; an operator's [`EgressAllow`] widens it.

mod address;
mod allow;
mod base;
mod resolve;

pub use address::is_global;
pub use allow::{AllowError, EgressAllow, Policy, Scheme};
pub use base::{CheckedBase, EgressRefusal, Host, check_url};
pub use resolve::{Blocked, Resolve, SystemResolver, resolve_and_check};
