//! Why there is no answer of a provider to pass on, and whose fault that is.

use std::time::Duration;

use fault::Fault;

/// A limit on time, as its configuration key and its error message name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// `limits.connect`
    Connect,
    /// `limits.first_byte`
    FirstByte,
    /// `limits.idle`
    Idle,
    /// `limits.total`
    Total,
}

impl Limit {
    /// Every limit.
    pub const ALL: [Self; 4] = [Self::Connect, Self::FirstByte, Self::Idle, Self::Total];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::FirstByte => "first_byte",
            Self::Idle => "idle",
            Self::Total => "total",
        }
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why there is no answer. Messages are safe to show a caller: no URL, host, address or key is in them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    /// The forwarder does not know the target (yet); nothing was sent.
    #[error("the target is not known to its forwarder yet")]
    UnknownTarget,
    /// The target's configuration cannot be used, e.g. its secret is gone; nothing was sent.
    #[error("the endpoint's target cannot be used: {0}")]
    Misconfigured(&'static str),
    /// The egress rules do not allow the target's address; nothing was sent.
    #[error("the egress rules do not allow the provider's address")]
    DestinationBlocked,
    /// The provider's identity service gives no token for the target's secret: somebody has to change it. The provider
    /// itself was asked nothing.
    #[error("the endpoint's target cannot be used: {0}")]
    KeyRefused(&'static str),
    /// No connection could be made; the provider cannot have acted.
    #[error("the provider could not be reached: {0}")]
    Unreachable(&'static str),
    /// A limit ran out before the provider's status was known.
    #[error("the provider did not answer within the {limit} limit of {} ms", .after.as_millis())]
    TimedOut {
        /// Which one.
        limit: Limit,
        /// How long it is.
        after: Duration,
    },
    /// The connection broke after the request was sent and before a status came; the provider may have acted.
    #[error("the connection to the provider broke before it answered")]
    Disconnected,
    /// What came is not an HTTP answer that can be passed on (redirect, upgrade, malformed head).
    #[error("the provider's answer cannot be passed on: {0}")]
    Garbled(&'static str),
    /// The client's body ended early or broke.
    #[error("the request's body did not come to its end")]
    RequestBroken,
    /// The client's body is larger than allowed.
    #[error("the request's body is larger than {max} bytes")]
    TooLarge {
        /// The limit, in bytes.
        max: u64,
    },
    /// The forwarder service could not be reached or is not ready; nothing was sent to a provider.
    #[error("the forwarder is not reachable")]
    ForwarderUnavailable,
    /// A defect of Keyward.
    #[error("internal error")]
    Internal,
}

impl ForwardError {
    /// What it is called on every face.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::UnknownTarget
            | Self::Misconfigured(_)
            | Self::KeyRefused(_)
            | Self::ForwarderUnavailable => Fault::Unavailable,
            Self::DestinationBlocked | Self::Unreachable(_) | Self::Disconnected | Self::Garbled(_) => {
                Fault::BadGateway
            }
            Self::TimedOut { .. } => Fault::Timeout,
            Self::RequestBroken => Fault::BadRequest,
            Self::TooLarge { .. } => Fault::TooLarge,
            Self::Internal => Fault::Internal,
        }
    }

    /// Whether the provider certainly did nothing, so that trying again, here or elsewhere, cannot do it twice.
    pub const fn certainly_not_acted(&self) -> bool {
        matches!(
            self,
            Self::UnknownTarget
                | Self::Misconfigured(_)
                | Self::KeyRefused(_)
                | Self::DestinationBlocked
                | Self::Unreachable(_)
                | Self::ForwarderUnavailable
                | Self::TimedOut { limit: Limit::Connect, .. }
        )
    }

    /// A short name for metrics and logs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::UnknownTarget => "unknown_target",
            Self::Misconfigured(_) => "misconfigured",
            Self::KeyRefused(_) => "key_refused",
            Self::DestinationBlocked => "destination_blocked",
            Self::Unreachable(_) => "unreachable",
            Self::TimedOut { .. } => "timed_out",
            Self::Disconnected => "disconnected",
            Self::Garbled(_) => "garbled",
            Self::RequestBroken => "request_broken",
            Self::TooLarge { .. } => "too_large",
            Self::ForwarderUnavailable => "forwarder_unavailable",
            Self::Internal => "internal",
        }
    }
}
