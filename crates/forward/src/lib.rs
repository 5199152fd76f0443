//! The seam between the edge and a provider: a [`Call`] goes in, an [`Answer`] comes out.
//!
//! One trait with two kinds of implementation: a provider's forwarder in this process, and `forward_grpc::Remote`,
//! a forwarder behind a wire. The edge does not know which it holds. Dropping the future before it is ready, or the
//! answer's body before its end, cancels the call to the provider; no detached task keeps it.

mod body;
mod call;
mod error;
mod memory;
#[cfg(feature = "suite")]
pub mod suite;
mod target;

pub use body::{Body, BodyError, empty, full};
pub use call::{Answer, Call, Head, Limits, Splice, SpliceForm};
pub use error::{ForwardError, Limit};
pub use memory::{Budget, Share};
pub use target::{Credential, Target, Targets};

use std::sync::Arc;

/// Takes calls to one provider.
#[async_trait::async_trait]
pub trait Forward: Send + Sync + 'static {
    /// Sends the call and returns as soon as the provider's status and headers are known.
    ///
    /// The answer may carry any status, a refusal of the provider too: that is the provider's word, not an error here.
    /// An error means that there is no answer of the provider to pass on; it says whether another target may be tried.
    async fn forward(&self, call: Call) -> Result<Answer, ForwardError>;
}

#[async_trait::async_trait]
impl<F: Forward + ?Sized> Forward for Arc<F> {
    async fn forward(&self, call: Call) -> Result<Answer, ForwardError> {
        (**self).forward(call).await
    }
}
