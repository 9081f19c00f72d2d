//! What is pending is stored, what is held is sent, what waits is answered (P5.4).

use super::work::Work;
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
        self.state
            .rollup
            .send(self.state.epoch, self.now, None, self.out);
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
        self.state.rollup.send(
            self.state.epoch,
            self.now,
            Some(&self.state.settings),
            self.out,
        );
        self.release_answers();
        Ok(())
    }

    /// A rollup window may have ended.
    pub(crate) fn pass_window(&mut self) -> Result<(), StoreError> {
        if self.state.rollup.is_store_due(self.now) {
            return self.flush();
        }
        self.state.rollup.send(
            self.state.epoch,
            self.now,
            Some(&self.state.settings),
            self.out,
        );
        Ok(())
    }

    fn store_pending(&mut self) -> Result<(), StoreError> {
        self.store_pending_with(None)
    }

    /// Stores all that is pending, and with it what the id of an append stands for: an id that is
    /// known stands for text that is kept.
    pub(crate) fn store_pending_with(&mut self, id: Option<Write>) -> Result<(), StoreError> {
        let mut writes = self.state.rollup.store(&mut self.state.end, self.now);
        writes.extend(id);
        if !writes.is_empty() {
            self.store.write(&writes)?;
            self.state.written_at = self.now;
        }
        Ok(())
    }

    pub(super) fn release_answers(&mut self) {
        let mut answers = std::mem::take(&mut self.state.rollup.answers);
        let streams = &self.state.rollup.streams;
        answers.release(self.state.epoch, self.out, |place| {
            streams.get(&place).map(|stream| stream.version)
        });
    }
}
