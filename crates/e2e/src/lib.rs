//! The real binary in front of real clients.
