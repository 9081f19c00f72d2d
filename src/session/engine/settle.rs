//! Settling: store pending text, send held text, release waiting answers (P5.4).

use super::answers::{Pending, Reply};
use super::work::{Engine, Work};
use crate::protocol::error::ErrorInfo;
use crate::protocol::frame::Outcome;
use crate::protocol::ids::ConnectionId;
use crate::store::{StoreError, Write};

impl Work<'_> {
    /// Stores all pending text, sends all held text, and answers.
    pub(crate) fn settle(&mut self) -> Result<(), StoreError> {
        self.flush_all()?;
        self.retire();
        Ok(())
    }

    /// Settles, but keeps the messages that close in doing so.
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

    /// Settles if an answer waits for this connection; a request without waiting answers ends
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

    /// Stores all pending text, and sends held text that is due.
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

    /// Sends held text: to every class, or to those whose window has passed.
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

    /// Stores all pending text together with the ids of its appends: a known id stands for text
    /// that is kept.
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

    /// Answers a pending append, once it is stored.
    pub(crate) fn answer_append(
        &mut self,
        reply: &Reply,
        append: Pending,
    ) -> Result<(), StoreError> {
        self.state.rollup.answers.push_append(reply, append);
        if self.state.rollup.answers.are_many() {
            self.flush()?;
        }
        Ok(())
    }

    /// Answers a frame: at once, or behind the answers that wait for the same connection.
    pub(crate) fn answer(&mut self, reply: &Reply, result: Result<Outcome, ErrorInfo>) {
        if let Err(error) = &result {
            self.trace_refused(reply.connection(), error);
        }
        self.state.rollup.answers.answer(reply, result, self.out);
    }
}
