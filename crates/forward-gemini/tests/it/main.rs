//! `HttpForwarder<Gemini>` against a scripted provider, over real sockets: HTTP/1.1 in the clear, HTTP/2 over TLS.
#![expect(clippy::unwrap_used, reason = "in a test, and in what only tests call, a panic is the report")]

mod broken;
mod cancelling;
mod connections;
mod egress;
mod house;
mod limits;
mod malformed;
mod passing;
mod proxy;
mod slow;
