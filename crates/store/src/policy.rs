//! Where a secret may be sent: decided outside of the store, by whoever knows the operator's egress rules.

/// Judges an `api_base`, when it is written. `forward_http`'s guard implements it and judges again at connect.
#[async_trait::async_trait]
pub trait ApiBasePolicy: Send + Sync + 'static {
    /// The hosts that a secret with this `api_base` may be sent to: lower case, without port, at least one. `api_base`
    /// is trimmed and not empty. May resolve names, within its own limit on time.
    ///
    /// # Errors
    /// A message for the admin: why not.
    async fn allowed_hosts(&self, api_base: &str) -> Result<Vec<String>, String>;
}
