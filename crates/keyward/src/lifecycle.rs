//! From start to stop: a first signal asks everything to finish, a second one, or time running out, ends it.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a second signal still leaves for the process to end.
const HARD_STOP: Duration = Duration::from_secs(5);

/// The tasks of this process and the two tokens that end them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lifecycle {
    /// Cancelled by the first signal: stop taking work, finish what runs.
    pub stopping: CancellationToken,
    /// Cancelled by the second signal, or when draining took too long: end now.
    pub ending: CancellationToken,
    /// Every task of this process.
    pub tasks: TaskTracker,
}

impl Lifecycle {
    /// Starts a task that belongs to this process.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Waits for a signal (or for [`Self::stopping`] to be cancelled from inside), then for every task to end, at most
    /// for `drain_max`.
    pub(crate) async fn run(&self, drain_max: Duration) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
            () = self.stopping.cancelled() => "asked from inside",
        };
        tracing::info!(signal = name, drain_max_ms = u64::try_from(drain_max.as_millis()).ok(), "stopping");
        self.stopping.cancel();
        self.tasks.close();
        tokio::select! {
            () = self.tasks.wait() => return Ok(()),
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = tokio::time::sleep(drain_max) => {}
        }
        self.ending.cancel();
        let _ = tokio::time::timeout(HARD_STOP, self.tasks.wait()).await;
        Ok(())
    }
}
