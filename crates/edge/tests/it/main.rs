//! The integration tests of the edge, in one binary.
#![expect(clippy::unwrap_used, reason = "clippy does not know helpers of an integration test for tests")]

mod management;
