//! Messages and services generated from `/proto` at build time; by hand only the masks of the messages that hold a key.
#![expect(
    missing_docs,
    clippy::pedantic,
    clippy::all,
    clippy::allow_attributes,
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

impl std::fmt::Debug for store::v1::SecretField {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SecretField").field("name", &self.name).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for store::v1::MintedKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("MintedKey").field("key", &self.key).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for store::v1::PublishedPepper {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PublishedPepper").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_and_peppers_are_masked_in_every_message_that_holds_them() {
        use super::store::v1;
        let minted = v1::MintedKey { key: None, shown_once: "CANARY".into() };
        let answer = v1::CreateClientKeyResponse { minted: Some(minted), receipt: None };
        let pepper = v1::PublishedPepper { id: 1, material: "CANARY".into() };
        let item = v1::published_caller::Item::Pepper(pepper);
        let part = v1::CallersPart { callers: vec![v1::PublishedCaller { item: Some(item) }] };
        let shown = format!("{answer:?} {part:?}");
        assert!(!shown.contains("CANARY") && !shown.contains("67, 65"), "{shown}");
    }

    #[test]
    fn a_secret_is_masked_in_every_message_that_holds_it() {
        let field = super::store::v1::SecretField { name: "api_key".into(), value: "CANARY".into() };
        let value = super::store::v1::SecretValue { fields: vec![field] };
        let request = super::store::v1::CreateSecretRequest { value: Some(value), ..Default::default() };
        let shown = format!("{request:?}");
        assert!(shown.contains("api_key") && !shown.contains("CANARY"), "{shown}");
    }
}
