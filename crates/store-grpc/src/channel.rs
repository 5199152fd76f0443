//! How the two sides hold their connection: when it is opened, how a dead one is noticed, how much it may carry.

use std::time::Duration;

use tonic::transport::{Channel, Endpoint, Server};

/// Largest message either side takes, in bytes: a complete list of tens of thousands of endpoints.
pub(crate) const MESSAGE_MAX: usize = 64 * 1024 * 1024;

/// For the TCP handshake and TLS.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// For one call, or for the beginning of a watch: well above `apply_wait_max`, for which a change may wait.
const CALL_MAX: Duration = Duration::from_secs(30);
/// A ping is sent after so long without a frame, also when no call runs.
const PING_EVERY: Duration = Duration::from_secs(10);
/// A connection is dead when a ping was not answered for so long.
const PING_MAX: Duration = Duration::from_secs(5);

/// A channel to the store at `endpoint`, connected when first used and again whenever it broke. Clone it: all clones
/// share one connection.
pub fn channel(endpoint: Endpoint) -> Channel {
    tuned(endpoint).connect_lazy()
}

/// The limits of [`channel`], for who connects by a connector of their own.
pub fn tuned(endpoint: Endpoint) -> Endpoint {
    endpoint
        .connect_timeout(CONNECT_MAX)
        .timeout(CALL_MAX)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_MAX)
        .keep_alive_while_idle(true)
}

/// A server with limits that fit [`channel`]; the caller adds TLS and the routes of [`crate::serve`].
pub fn server() -> Server {
    // A watch is a stream that stays open; a store has tens of watchers, and edges share one connection for many calls.
    const STREAMS_MAX: u32 = 1024;
    Server::builder()
        .tcp_nodelay(true)
        .http2_keepalive_interval(Some(PING_EVERY))
        .http2_keepalive_timeout(Some(PING_MAX))
        .max_concurrent_streams(Some(STREAMS_MAX))
}
