//! The public face: pinned vectors, properties, the golden table of roles.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod hostile;
mod roles;
mod vectors;
