//! Wake-ups from other processes: LISTEN on a connection of its own.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::{sync::watch, task::JoinSet};

/// What every commit notifies, inside its transaction: the server tells listeners when it is visible.
pub(crate) const CHANNEL: &str = "keyward_changes";

/// How long to wait before listening again after the connection was lost. Until then, whoever waits polls.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// The task that listens; it ends with its owner.
#[derive(Debug)]
pub(crate) struct Listener {
    task: Mutex<JoinSet<()>>,
}

impl Listener {
    /// Listens from now on, also after the connection is lost.
    pub(crate) fn start(options: PgConnectOptions, wakes: watch::Sender<u64>) -> Self {
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                let Err(error) = listen(&options, &wakes).await;
                tracing::debug!(cause = error.to_string(), "lost the connection that listens for changes");
                tokio::time::sleep(LISTEN_AGAIN).await;
            }
        });
        Self { task: Mutex::new(task) }
    }

    /// Ends it.
    pub(crate) fn stop(&self) {
        self.task.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

async fn listen(options: &PgConnectOptions, wakes: &watch::Sender<u64>) -> Result<Never, sqlx::Error> {
    // A pool of one, held for good; no limit on its age.
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    let pool = pool.connect_with(options.clone()).await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    loop {
        // From here on nothing is missed; what came before may have been.
        wakes.send_modify(|count| *count = count.wrapping_add(1));
        if listener.try_recv().await?.is_none() {
            return Err(sqlx::Error::Io(std::io::ErrorKind::ConnectionAborted.into()));
        }
    }
}

/// Has no value: `listen` only ends by an error.
#[derive(Debug)]
enum Never {}
