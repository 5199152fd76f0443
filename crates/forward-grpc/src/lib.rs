//! Forward behind a wire.
