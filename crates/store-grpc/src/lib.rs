//! The store's seams behind a wire.
