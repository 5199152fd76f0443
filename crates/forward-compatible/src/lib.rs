//! How providers differ that speak another's dialect: a table, a value a row.
#![doc = include_str!("../README.md")]

mod catalogue;
mod row;
mod wire;
mod written;

pub use catalogue::catalogue;
pub use row::RowError;
pub use wire::Compatible;
pub use written::{WrittenCredential, WrittenRow, WrittenSpeech};
