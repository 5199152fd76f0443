//! A limit on time that is armed often and runs out seldom: arming it stores a number, the runtime's timer is set only
//! while somebody waits.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep};

/// A deadline that can be moved and lifted cheaply.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    deadline: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    /// Runs from now, unless it runs already.
    pub(crate) fn start(&mut self, limit: Duration) {
        if self.deadline.is_none() {
            self.deadline = Some(Instant::now() + limit);
        }
    }

    /// Runs from now, whether it ran or not.
    pub(crate) fn restart(&mut self, limit: Duration) {
        self.deadline = Some(Instant::now() + limit);
    }

    /// Lifts the limit.
    pub(crate) fn stop(&mut self) {
        self.deadline = None;
    }

    /// Ready once the limit ran out; pending for ever while none is set.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else { return Poll::Pending };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        // An older, earlier deadline is left to fire: moving the runtime's timer at every step costs more.
        loop {
            if sleep.deadline() > deadline {
                sleep.as_mut().reset(deadline);
            }
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }
}
