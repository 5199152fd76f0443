//! How the two sides hold their connection: when it is opened, how a dead one is noticed, how much waits in it.

use std::time::Duration;

use tonic::transport::{Channel, Endpoint, Server};

/// Bytes of one body that wait in HTTP/2 for a reader that does not read, either way. 64 KiB a round trip is above
/// 60 MB/s between machines of one site, and a slow reader is felt by its sender soon.
pub const STREAM_WINDOW: u32 = 64 * 1024;

/// Calls that are open at once on one connection. Beyond it calls wait for a stream, so it lies above the calls that one
/// edge lets in.
const STREAMS_MAX: u32 = 16 * 1024;
/// Room for every stream's window: calls whose readers are slow never take another call's share. A permission, not an
/// allocation.
const CONNECTION_WINDOW: u32 = STREAM_WINDOW * STREAMS_MAX;

/// For the TCP handshake and TLS.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// A ping is sent after so long without a frame, also when no call runs.
const PING_EVERY: Duration = Duration::from_secs(10);
/// A connection is dead when a ping was not answered for so long.
const PING_MAX: Duration = Duration::from_secs(5);

/// A channel to the forwarder at `endpoint`, connected when first used and again whenever it broke. Clone it: all clones
/// share one connection.
pub fn channel(endpoint: Endpoint) -> Channel {
    tuned(endpoint).connect_lazy()
}

// A call that a client gives up is a stream that is reset while frames of it are still on their way. h2 passes those over for
// as many reset streams as it remembers (50) for a second; each one beyond counts as a mistake of the far side, for as
// long as the connection lives, and the 1024th ends it with every call on it. Here far and near are ourselves: as many
// are remembered as there may be, and none is a mistake.

/// The limits and windows of [`channel`], for who connects by a connector of their own.
pub fn tuned(endpoint: Endpoint) -> Endpoint {
    endpoint
        .connect_timeout(CONNECT_MAX)
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_max_concurrent_reset_streams(STREAMS_MAX as usize)
        .http2_max_local_error_reset_streams(None)
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_MAX)
        .keep_alive_while_idle(true)
}

/// A server with limits that fit [`channel`]; the caller adds TLS and the routes of [`crate::serve`].
pub fn server() -> Server {
    Server::builder()
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(STREAMS_MAX)
        .http2_max_local_error_reset_streams(None)
        .http2_keepalive_interval(Some(PING_EVERY))
        .http2_keepalive_timeout(Some(PING_MAX))
}
