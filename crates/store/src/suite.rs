//! What every implementation of the store's seams must do, as tests.

pub mod memory;
pub mod tables;
