//! Streaming messages grow (P5.1–P5.3).

use super::answer::Reply;
use super::closing::Closing;
use super::connection::Sender;
use super::outbox::Outbox;
use super::{Error, Session};
use crate::protocol::data::units;
use crate::protocol::decode::{Append, too_large};
use crate::protocol::error::{Details, ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, Placed};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::serial::{Place, Serial};
use crate::store::{Head, Kind, Store, StoreError, Write};

/// What becomes of a `seq` (P5.3).
enum Seq {
    /// The next one, or none at all.
    Next,
    /// Taken before.
    Taken,
    /// One that others have to come before.
    Gap,
}

impl Seq {
    fn of(seq: Option<u64>, taken: u64) -> Self {
        match seq {
            Some(seq) if seq <= taken => Self::Taken,
            Some(seq) if taken + 1 < seq => Self::Gap,
            Some(_) | None => Self::Next,
        }
    }
}

impl Session {
    /// Takes an append. It is answered once it is stored.
    pub(super) fn append(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        append: &Append,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        let place = self.place("append", append.serial)?;
        if append.id.is_some() {
            // Such a one is stored at once, with a row of its own.
            self.limit_frame(now, sender, "append")?;
        }
        if let Some(id) = &append.id
            && self.once(store, now, sender, Kind::Append, id)?.is_some()
        {
            let head = self.existing(store, "append", place)?;
            self.repeat(&head, append.seq, reply, out);
            return Ok(());
        }
        let Some(open) = self.rollup.open.get(&place) else {
            let head = self.existing(store, "append", place)?;
            return self.append_to_closed(store, sender, append, &head, reply, out);
        };
        let drives = self.fence(
            store,
            "append",
            sender,
            open.turn.as_deref(),
            append.attempt,
        )?;
        self.may_append(sender, append, &open.client)?;
        match Seq::of(append.seq, open.seq) {
            Seq::Taken => {
                self.repeat_open(place, append.seq, reply, out);
                if self.rollup.answers.are_many() {
                    self.flush(store, now, out)?;
                }
                return Ok(());
            }
            Seq::Gap => return Err(gap("append", append.serial, open.seq, open.length()).into()),
            Seq::Next => {}
        }
        let bytes = open.bytes + open.pending.len() + append.text().len();
        let limit = usize::try_from(self.limits.data_bytes).unwrap_or(usize::MAX);
        if limit < bytes {
            return Err(too_large("append", bytes, limit).into());
        }
        if append.text().is_empty() {
            self.check_space("append")?;
        } else {
            self.check_room(store, "append")?;
        }
        let turn = open.turn.clone().filter(|_| drives);
        if open.origin != sender.connection && self.rollup.is_unsettled(place) {
            // What was held belongs to another connection, which is not sent it back.
            self.settle(store, now, out)?;
        }
        self.grow(store, now, sender, append, place, reply, out)?;
        match turn {
            // What grows says by itself that its turn is alive, until it ends.
            Some(turn) if append.status.is_none() => {
                self.followed(store, now, sender, &turn)?;
            }
            Some(turn) => self.drove(store, now, sender, &turn)?,
            // What streamed told of its leader, and streams no longer.
            None if append.status.is_some() => self.keep_pings(store)?,
            None => {}
        }
        Ok(())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the tail of `append`, apart for its length"
    )]
    fn grow(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        append: &Append,
        place: Place,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        if let Some(open) = self.rollup.open.get_mut(&place) {
            let turn = open.turn.as_ref().and_then(|turn| self.turns.get(turn));
            let lead = turn.and_then(|open| open.turn.lead());
            open.leader
                .clone_from(lead.map_or(&None, |lead| &lead.connection));
            open.origin.clone_from(&sender.connection);
            open.seq = append.seq.unwrap_or(open.seq);
        }
        let length = units(append.text());
        let is_much = self
            .rollup
            .take(place, append.text(), length, now, &self.settings);
        self.rollup
            .answers
            .push_append(reply, place, append.seq, false);
        let end = append.end();
        if let Some(status) = end {
            let closing = Closing {
                status,
                headers: append.headers.clone(),
                client: Some(sender.client.clone()),
            };
            self.rollup.close(place, closing);
        }
        if let Some(id) = &append.id {
            // With the text or not at all: an id that is known stands for text that is kept.
            let once = self.remember_id(now, sender, Kind::Append, id, place);
            self.store_pending(store, now, Some(once))?;
        }
        if end.is_some() || append.id.is_some() {
            self.settle(store, now, out)?;
        } else if is_much || self.rollup.answers.are_many() {
            self.flush(store, now, out)?;
        }
        Ok(())
    }

    fn append_to_closed(
        &mut self,
        store: &Store,
        sender: &Sender,
        append: &Append,
        head: &Head,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        let is_repeat = !head.is_deleted && append.seq.is_some_and(|seq| seq <= head.seq);
        let turn = head.turn.as_deref().filter(|turn| {
            // The end of a final turn is sent again until it is acknowledged.
            !is_repeat || self.turns.contains_key(*turn)
        });
        self.fence(store, "append", sender, turn, append.attempt)?;
        self.may_append(sender, append, &head.client)?;
        if head.is_deleted {
            return Err(refused(append, ErrorCode::Deleted, "is deleted").into());
        }
        if is_repeat {
            self.repeat(head, append.seq, reply, out);
            return Ok(());
        }
        Err(refused(append, ErrorCode::Closed, "is closed").into())
    }

    /// Own messages need `publish`, others' need `edit` (P5.2).
    fn may_append(&self, sender: &Sender, append: &Append, owner: &str) -> Result<(), ErrorInfo> {
        self.may_change("append", sender, owner)
            .map_err(|mut error| {
                error.message =
                    format!("{}; message {} is {owner}'s", error.message, append.serial);
                error
            })
    }

    /// Answers a repeat of what is stored.
    pub(super) fn repeat(
        &mut self,
        head: &Head,
        seq: Option<u64>,
        reply: &Reply,
        out: &mut Outbox,
    ) {
        let mut placed = Placed::new(self.epoch.at(head.place), self.epoch.at(head.version));
        placed.seq = seq;
        placed.duplicate = true;
        self.answer(out, reply, Ok(Outcome::Changed(placed)));
    }

    /// Answers a repeat of an append to a message that streams: once what it repeats is
    /// stored, if that is still pending.
    fn repeat_open(&mut self, place: Place, seq: Option<u64>, reply: &Reply, out: &mut Outbox) {
        self.rollup.answers.push_append(reply, place, seq, true);
        if !self.rollup.has_pending() {
            self.release_answers(out);
        }
    }

    /// Stores all that is pending, sends all that is held, and answers.
    pub(super) fn settle(
        &mut self,
        store: &Store,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        self.store_pending(store, now, None)?;
        self.rollup.send(self.epoch, now, None, out);
        self.release_answers(out);
        if self.rollup.retire() {
            self.expect_settled(store)?;
        }
        Ok(())
    }

    /// The same where somebody can be answered only then; a request of which nothing waits ends
    /// nobody's window.
    pub(super) fn settle_for(
        &mut self,
        store: &Store,
        now: Timestamp,
        connection: Option<&ConnectionId>,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        if self.rollup.answers.are_owed_to(connection) {
            self.settle(store, now, out)?;
        }
        Ok(())
    }

    /// Stores all that is pending, and sends what is due.
    pub(super) fn flush(
        &mut self,
        store: &Store,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        self.store_pending(store, now, None)?;
        self.rollup.send(self.epoch, now, Some(&self.settings), out);
        self.release_answers(out);
        Ok(())
    }

    /// A rollup window may have ended.
    pub(super) fn tick(
        &mut self,
        store: &Store,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        if self.rollup.is_store_due(now) {
            return self.flush(store, now, out);
        }
        self.rollup.send(self.epoch, now, Some(&self.settings), out);
        Ok(())
    }

    fn store_pending(
        &mut self,
        store: &Store,
        now: Timestamp,
        once: Option<Write>,
    ) -> Result<(), StoreError> {
        let mut writes = self.rollup.store(&mut self.end, now);
        writes.extend(once);
        if !writes.is_empty() {
            store.write(&writes)?;
            self.written_at = now;
        }
        Ok(())
    }

    fn release_answers(&mut self, out: &mut Outbox) {
        let mut answers = std::mem::take(&mut self.rollup.answers);
        let open = &self.rollup.open;
        answers.release(self.epoch, out, |place| {
            open.get(&place).map(|open| open.version)
        });
    }
}

fn refused(append: &Append, code: ErrorCode, state: &str) -> ErrorInfo {
    ErrorInfo::new(
        code,
        format!("unable to append; message {} {state}", append.serial),
    )
}

/// The error for a sender that leaves appends out (P5.3).
pub(super) fn gap(verb: &str, serial: Serial, taken: u64, length: u64) -> ErrorInfo {
    let expected_seq = taken + 1;
    let reason = format!("expects seq {expected_seq} and holds {length}");
    let message = format!("unable to {verb}; message {serial} {reason}");
    ErrorInfo {
        details: Some(Details::Gap {
            expected_seq,
            length,
        }),
        ..ErrorInfo::new(ErrorCode::Gap, message)
    }
}
