//! How long the Worker waits for the answers of a quiet session.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use worker::Delay;

/// Longer than anything a session does before it answers.
const QUIET_MS: u64 = 30_000;

/// Runs out when awaited answers do not arrive.
pub(super) struct Patience {
    delay: Option<Pin<Box<Delay>>>,
    /// Whether an answer arrived since the delay began. A new delay at every answer would cost more
    /// than the answer.
    is_renewed: bool,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self {
            delay: None,
            is_renewed: false,
        }
    }

    /// An answer arrived.
    pub(super) fn renew(&mut self) {
        self.is_renewed = true;
    }

    /// Ready when it has run out.
    pub(super) fn poll(&mut self, is_waiting: bool, context: &mut Context<'_>) -> Poll<()> {
        if !is_waiting {
            self.delay = None;
            return Poll::Pending;
        }
        loop {
            if self.delay.is_none() {
                self.is_renewed = false;
            }
            let begin = || Box::pin(Delay::from(Duration::from_millis(QUIET_MS)));
            let delay = self.delay.get_or_insert_with(begin);
            if delay.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.delay = None;
            if !self.is_renewed {
                return Poll::Ready(());
            }
        }
    }
}
