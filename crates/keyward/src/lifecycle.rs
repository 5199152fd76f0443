//! From start to stop: a first signal asks everything to finish, a second one, or time running out, ends it.

use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a second signal, or the end of draining, still leaves for the process to end.
const HARD_STOP: Duration = Duration::from_secs(5);

/// The tasks of this process and the two tokens that end them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lifecycle {
    /// Cancelled after the first signal: stop taking work, finish what runs.
    pub stopping: CancellationToken,
    /// Cancelled by the second signal, or when draining took too long: end now.
    pub ending: CancellationToken,
    /// Every task that has to finish before the process may end.
    pub tasks: TaskTracker,
}

/// How the process is asked to stop. Made before the process says that it listens, so that no signal is lost.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

/// How long stopping may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How long load balancers are told that the end is near before connections are refused.
    pub lame_duck: Duration,
    /// How long running calls may take to end.
    pub drain_max: Duration,
}

impl Signals {
    /// From now on signals do not kill the process.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("listen for signals");
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// The next one.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

impl Lifecycle {
    /// Starts a task that has to finish before the process may end. One that ends by itself stops the process.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.stopping.clone();
        self.tasks.spawn(async move {
            task.await;
            stopping.cancel();
        });
    }

    /// Waits for a signal, then for every task to end. `turn_lame` is called first, so that load balancers look away.
    pub(crate) async fn run(&self, mut signals: Signals, patience: Patience, turn_lame: impl FnOnce()) {
        let signal = tokio::select! {
            name = signals.next() => name,
            () = self.stopping.cancelled() => "none: a task has ended",
        };
        let milliseconds = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            signal,
            lame_duck_ms = milliseconds(patience.lame_duck),
            drain_max_ms = milliseconds(patience.drain_max),
            "stopping; a second signal ends running calls",
        );
        turn_lame();
        let drained = tokio::select! {
            () = self.drain(patience) => true,
            _ = signals.next() => false,
        };
        self.stopping.cancel();
        self.tasks.close();
        if drained && self.tasks.is_empty() {
            return;
        }
        tracing::warn!("ending calls that still run");
        self.ending.cancel();
        let _ = tokio::time::timeout(HARD_STOP, self.tasks.wait()).await;
    }

    /// The lame-duck period, then until every task has ended or the time for that is over.
    async fn drain(&self, patience: Patience) {
        tokio::time::sleep(patience.lame_duck).await;
        self.stopping.cancel();
        self.tasks.close();
        let _ = tokio::time::timeout(patience.drain_max, self.tasks.wait()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    fn signals() -> Signals {
        Signals::listen().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn what_runs_may_finish_and_lame_comes_first() {
        let lifecycle = Lifecycle::default();
        let (stopping, ending) = (lifecycle.stopping.clone(), lifecycle.ending.clone());
        lifecycle.spawn({
            let stopping = stopping.clone();
            async move { stopping.cancelled().await }
        });
        stopping.cancel();
        let mut lame = false;
        let patience = Patience { lame_duck: Duration::ZERO, drain_max: LONG };
        lifecycle.run(signals(), patience, || lame = true).await;
        assert!(lame);
        assert!(!ending.is_cancelled(), "everything had ended by itself");
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_finish_is_ended_when_the_time_is_over() {
        let lifecycle = Lifecycle::default();
        let (stopping, ending) = (lifecycle.stopping.clone(), lifecycle.ending.clone());
        lifecycle.spawn({
            let ending = ending.clone();
            async move { ending.cancelled().await }
        });
        stopping.cancel();
        lifecycle.run(signals(), Patience { lame_duck: LONG, drain_max: LONG }, || ()).await;
        assert!(ending.is_cancelled());
    }
}
