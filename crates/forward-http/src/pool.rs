//! Connections: one pool a secret and version, so that no connection ever serves two secrets.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use hyper_util::{client::legacy::Client, rt::TokioTimer};
use names::SecretId;
use parking_lot::Mutex;
use tokio_util::task::TaskTracker;

use crate::{
    connect::{Connector, Way},
    upload::Outgoing,
};

/// A secret's connections, by host. They close when the last target that uses them is gone.
pub(crate) type Pool = Client<Connector, Outgoing>;

/// How many connections are kept for how long, and how much they hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) idle_max: usize,
    pub(crate) idle: Duration,
    pub(crate) stream_window: u32,
}

/// Makes pools, and finds those that are in use.
pub(crate) struct Pools {
    way: Arc<Way>,
    bounds: Bounds,
    tasks: TaskTracker,
    in_use: Mutex<HashMap<(SecretId, u64), Weak<Pool>>>,
}

/// A response's head must fit in this, and one read takes at most so much, in bytes.
const READ_MAX: usize = 64 * 1024;
/// The window of an HTTP/2 connection, in stream windows: so many streams may stand still before the others feel it.
const STALLED_STREAMS: u32 = 128;
/// Calls given up within a second whose late frames are passed over. What comes for more than so many counts as the
/// provider's mistake.
const RESETS_REMEMBERED: usize = 4096;
/// Such mistakes end the connection, with every call on it; h2 counts them for its whole life. Enough for a provider that
/// means well, and a bound for one that does not.
const RESETS_FORGOTTEN_MAX: usize = 64 * 1024;
/// A connection with calls open and nothing coming is asked for a sign of life this often, and given up so much later.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_PATIENCE: Duration = Duration::from_secs(15);

impl Pools {
    pub(crate) fn new(way: Arc<Way>, bounds: Bounds) -> Self {
        Self { way, bounds, tasks: TaskTracker::new(), in_use: Mutex::default() }
    }

    /// The pool of a secret in this version.
    pub(crate) fn of(&self, secret: &(SecretId, u64)) -> Arc<Pool> {
        let mut in_use = self.in_use.lock();
        if let Some(pool) = in_use.get(secret).and_then(Weak::upgrade) {
            return pool;
        }
        let pool = Arc::new(self.make());
        in_use.retain(|_, pool| pool.strong_count() > 0);
        in_use.insert(secret.clone(), Arc::downgrade(&pool));
        pool
    }

    fn make(&self) -> Pool {
        let Bounds { idle_max, idle, stream_window } = self.bounds;
        Client::builder(Tasks(self.tasks.clone()))
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(idle)
            .pool_max_idle_per_host(idle_max)
            // Only for requests that hyper gives back because their pooled connection was dead before a byte was sent.
            .retry_canceled_requests(true)
            .http1_max_buf_size(READ_MAX)
            .http2_initial_stream_window_size(stream_window)
            .http2_initial_connection_window_size(stream_window.saturating_mul(STALLED_STREAMS))
            .http2_max_header_list_size(u32::try_from(READ_MAX).unwrap_or(u32::MAX))
            .http2_max_concurrent_reset_streams(RESETS_REMEMBERED)
            .http2_max_local_error_reset_streams(RESETS_FORGOTTEN_MAX)
            .http2_keep_alive_interval(PING_EVERY)
            .http2_keep_alive_timeout(PING_PATIENCE)
            .build(Connector(Arc::clone(&self.way)))
    }
}

/// Spawns the tasks that drive connections. They end with their connection: when it breaks, when its call was dropped,
/// or when its pool is gone.
#[derive(Clone)]
struct Tasks(TaskTracker);

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        drop(self.0.spawn(future));
    }
}
