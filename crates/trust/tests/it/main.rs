//! Services that show each other who they are, over real connections.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests, and what they share")]

mod connections;
mod house;
mod table;
