//! Messages and services generated from `/proto` at build time; nothing here is written by hand.
#![expect(
    missing_docs,
    clippy::pedantic,
    clippy::all,
    reason = "generated code; the proto files carry the comments"
)]

/// The encoded `FileDescriptorSet` of everything in `/proto`, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// `keyward.forward.v1`: the edge hands a call to a forwarder.
pub mod forward {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("keyward.forward.v1");
    }
}

/// `keyward.store.v1`: administration and pushed state.
pub mod store {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("keyward.store.v1");
    }
}
