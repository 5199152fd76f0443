//! Seals and opens secrets, bound to the cell they lie in.
//!
//! Two seals, for two ways a secret travels:
//!
//! * [`Keyring`] **at rest**: envelope encryption with AES-256-GCM. Every version of a secret gets a fresh data key
//!   (DEK), which seals exactly one [`Payload`]; a key-encryption key ([`Kek`]) with an id wraps the data key. The seal
//!   is bound to a [`Cell`]: workspace, secret, name, provider, version and allowed hosts. A row that was swapped,
//!   renamed, re-aimed or edited does not open. AEAD alone does not detect a row that was rolled back as a whole.
//! * [`handover`] **on its way to a forwarder**: HPKE (RFC 9180, base mode, X25519, HKDF-SHA256, AES-256-GCM), sealed
//!   to the key that the forwarder shows and bound to the target it is for. Base mode does not say who sealed: the
//!   channel does.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use seal::{Cell, Kek, KekId, Keyring, Payload};
//! let keyring = Keyring::new(Kek::generate(KekId::parse("k202611-1")?)?);
//! let hosts = ["generativelanguage.googleapis.com".to_owned()];
//! let cell = Cell {
//!     workspace: "default",
//!     secret_id: "s-00000000000000000000000000000001",
//!     name: "gemini-key",
//!     provider: Some("gemini"),
//!     version: 1,
//!     allowed_hosts: &hosts,
//! };
//! let payload = Payload::new([("api_key".to_owned(), "the key".into())].into(), hosts.to_vec());
//! let envelope = keyring.seal(&cell, &payload)?;
//! let opened = keyring.open(&cell, &envelope)?;
//! assert_eq!(opened.allowed_hosts, hosts);
//! # Ok(())
//! # }
//! ```
//!
//! Pure but for [`KeyFileError`]'s functions, which read and make key files. Nothing here prints a key: `Debug` masks,
//! errors carry neither values nor a library's text.
//!
//! To add a field to what is bound, or to the payload: write a new format beside the old one under a new prefix
//! (`keyward.secret.v2`), open both, seal the new one, and add its vector to `tests`; never change a format in place.

mod aead;
mod cell;
mod check;
mod envelope;
mod error;
mod file;
pub mod handover;
mod kek;
mod keyring;
mod payload;

pub use cell::Cell;
pub use check::{make as make_check, opens as opens_check};
pub use envelope::Envelope;
pub use error::{KeyFileError, SealError};
pub use kek::{Kek, KekId};
pub use keyring::Keyring;
pub use payload::{Payload, mask};
