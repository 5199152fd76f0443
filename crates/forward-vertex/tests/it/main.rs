//! `HttpForwarder<Vertex>` against a scripted provider and its identity service, over real sockets.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod asking;
mod house;
mod refused;
mod sending;
