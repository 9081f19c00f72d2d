//! What is pending is stored, what is held is sent, what waits is answered (P5.4).

use super::answers::{Pending, Reply};
use super::work::{Engine, Work};
use crate::protocol::error::ErrorInfo;
use crate::protocol::frame::Outcome;
use crate::protocol::ids::ConnectionId;
use crate::store::{StoreError, Write};

impl Work<'_> {
    /// Stores all that is pending, sends all that is held, and answers.
    pub(crate) fn settle(&mut self) -> Result<(), StoreError> {
        self.flush_all()?;
        self.retire();
        Ok(())
    }

    /// The same, but that messages which it closes are not forgotten yet.
    pub(crate) fn flush_all(&mut self) -> Result<(), StoreError> {
        self.store_pending()?;
        self.send_held(false);
        self.release_answers();
        Ok(())
    }

    /// Forgets messages that were closed.
    pub(crate) fn retire(&mut self) {
        if self.state.rollup.retire() {
            self.state.news.is_settled = true;
        }
    }

    /// The same where somebody can be answered only then; a request of which nothing waits ends
    /// nobody's window.
    pub(crate) fn settle_for(
        &mut self,
        connection: Option<&ConnectionId>,
    ) -> Result<(), StoreError> {
        if self.state.rollup.answers.are_owed_to(connection) {
            self.settle()?;
        }
        Ok(())
    }

    /// Stores all that is pending, and sends what is due.
    pub(crate) fn flush(&mut self) -> Result<(), StoreError> {
        self.store_pending()?;
        self.send_held(true);
        self.release_answers();
        Ok(())
    }

    /// A rollup window may have ended.
    pub(crate) fn pass_window(&mut self) -> Result<(), StoreError> {
        if self.state.rollup.is_store_due(self.now) {
            return self.flush();
        }
        self.send_held(true);
        Ok(())
    }

    /// Sends what is held: to every class, or to those whose window has passed.
    fn send_held(&mut self, only_due: bool) {
        let Engine {
            rollup,
            settings,
            epoch,
            ..
        } = &mut *self.state;
        let only_due = only_due.then_some(&*settings);
        rollup.send(*epoch, self.now, only_due, self.out);
    }

    fn store_pending(&mut self) -> Result<(), StoreError> {
        self.store_pending_with(None)
    }

    /// Stores all that is pending, and with it what the id of an append stands for: an id that is
    /// known stands for text that is kept.
    pub(crate) fn store_pending_with(&mut self, id: Option<Write>) -> Result<(), StoreError> {
        let mut writes = self.state.rollup.store(&mut self.state.end, self.now);
        writes.extend(id);
        if writes.is_empty() {
            return Ok(());
        }
        self.write_rows(&writes, true)
    }

    fn release_answers(&mut self) {
        let mut answers = std::mem::take(&mut self.state.rollup.answers);
        let streams = &self.state.rollup.streams;
        answers.release(self.state.epoch, self.out, |place| {
            streams.get(&place).map(|stream| stream.version)
        });
    }

    /// Answers an append once it is stored: now, if it is.
    pub(crate) fn answer_append(
        &mut self,
        reply: &Reply,
        append: Pending,
    ) -> Result<(), StoreError> {
        self.state.rollup.answers.push_append(reply, append);
        if !self.state.rollup.has_pending() {
            self.release_answers();
        } else if self.state.rollup.answers.are_many() {
            self.flush()?;
        }
        Ok(())
    }

    /// Answers a frame: at once, or behind the answers that wait for the same connection.
    pub(crate) fn answer(&mut self, reply: &Reply, result: Result<Outcome, ErrorInfo>) {
        self.state.rollup.answers.answer(reply, result, self.out);
    }
}
