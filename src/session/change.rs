//! Messages are updated and deleted (P4.3).

use super::answer::Reply;
use super::append::gap;
use super::closing::Closing;
use super::connection::Sender;
use super::outbox::Outbox;
use super::rollup::Open;
use super::{Error, Session};
use crate::protocol::data::{Data, units};
use crate::protocol::decode::{Delete, Update, too_large};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, Placed, ServerFrame};
use crate::protocol::ids::Timestamp;
use crate::protocol::message::{Status, as_json};
use crate::protocol::serial::{Place, Serial};
use crate::store::{Change, Head, Kind, Store, StoreError, Write};

impl Session {
    /// Replaces the given fields of a message.
    pub(super) fn update(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
        sender: &Sender,
        update: Update,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        self.limit_frame(now, sender, "update")?;
        let (serial, attempt) = (update.serial, update.attempt);
        if let Some(id) = &update.id
            && self.once(store, now, sender, Kind::Update, id)?.is_some()
        {
            let head = self.settled(store, now, "update", serial, out)?;
            self.repeat(&head, update.seq, reply, out);
            return Ok(());
        }
        let head = self.settled(store, now, "update", serial, out)?;
        let is_repeat = is_repeat(&update, &head);
        let drives = match &head.turn {
            // What a final turn took is sent again until it is acknowledged.
            Some(turn) if is_repeat && !self.turns.contains_key(turn) => false,
            turn => self.fence(store, "update", sender, turn.as_deref(), attempt)?,
        };
        self.may_change("update", sender, &head.client)?;
        if head.is_deleted {
            return Err(deleted("update", update.serial).into());
        }
        if is_repeat {
            self.repeat(&head, update.seq, reply, out);
            return Ok(());
        }
        check_version("update", update.serial, update.if_version, &head)?;
        self.check_update(&update, &head)?;
        self.check_space("update")?;
        self.replace(store, now, sender, &update, &head)?;
        let version = self.end;
        let Some(message) = store.message(self.epoch, head.place)? else {
            return Err(StoreError("the message that was updated is not there".into()).into());
        };
        self.broadcast(out, &ServerFrame::Update { message }, Some(&head.name));
        self.changed_turn(store, now, sender, &head, drives)?;
        self.answer(
            out,
            reply,
            Ok(self.outcome(head.place, version, update.seq)),
        );
        Ok(())
    }

    /// Stores an update, and follows what it changes of a message that streams.
    fn replace(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
        sender: &Sender,
        update: &Update,
        head: &Head,
    ) -> Result<(), StoreError> {
        self.end += 1;
        let (place, version) = (head.place, self.end);
        let seq = update.seq.unwrap_or(head.seq);
        let mut writes = match (update.status, &update.data) {
            (Some(status), None) => {
                let closing = Closing {
                    status,
                    headers: update.headers.clone(),
                    client: Some(sender.client.clone()),
                };
                closing.writes(place, version, seq, now).into()
            }
            (status, data) => vec![
                Write::Update {
                    place,
                    version,
                    seq,
                    data: data.clone(),
                    headers: update.headers.as_ref().map(as_json),
                    status,
                    is_streaming: head.status == Some(Status::Streaming) && status.is_none(),
                    at: now,
                },
                self.changed(Change::Update, place, sender, now),
            ],
        };
        if let Some(id) = &update.id {
            writes.push(self.remember_id(now, sender, Kind::Update, id, place));
        }
        store.write(&writes)?;
        self.written_at = now;
        if update.status.is_some() {
            self.rollup.open.remove(&place);
            return self.expect_settled(store);
        }
        if let Some(open) = self.rollup.open.get_mut(&place) {
            open.seq = seq;
            open.heard_at = now;
            match &update.data {
                Some(Data::Text(text)) => open.replace(version, units(text), text.len()),
                Some(Data::Json(_)) | None => open.version = version,
            }
        }
        Ok(())
    }

    /// Leaves nothing of a message but its tombstone.
    pub(super) fn delete(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
        sender: &Sender,
        delete: &Delete,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        self.limit_frame(now, sender, "delete")?;
        let (serial, attempt) = (delete.serial, delete.attempt);
        if let Some(id) = &delete.id
            && self.once(store, now, sender, Kind::Delete, id)?.is_some()
        {
            let head = self.settled(store, now, "delete", serial, out)?;
            self.repeat(&head, None, reply, out);
            return Ok(());
        }
        let (head, drives) = self.changeable(store, now, "delete", sender, serial, attempt, out)?;
        if head.is_deleted {
            return Err(deleted("delete", delete.serial).into());
        }
        check_version("delete", delete.serial, delete.if_version, &head)?;
        self.check_space("delete")?;
        self.end += 1;
        let version = self.end;
        let mut writes = vec![
            Write::Delete {
                place: head.place,
                version,
                is_superseded: false,
                at: now,
            },
            self.changed(Change::Delete, head.place, sender, now),
        ];
        if let Some(id) = &delete.id {
            writes.push(self.remember_id(now, sender, Kind::Delete, id, head.place));
        }
        store.write(&writes)?;
        self.written_at = now;
        if self.rollup.open.remove(&head.place).is_some() {
            self.expect_settled(store)?;
        }
        let serial = self.epoch.at(head.place);
        let frame = ServerFrame::Delete {
            serial,
            version: self.epoch.at(version),
            superseded: false,
        };
        self.broadcast(out, &frame, Some(&head.name));
        self.changed_turn(store, now, sender, &head, drives)?;
        self.answer(out, reply, Ok(self.outcome(head.place, version, None)));
        Ok(())
    }

    /// A message that the sender may change, after everything pending is stored, and whether
    /// that drives its turn.
    #[expect(
        clippy::too_many_arguments,
        reason = "what every frame has, and the message"
    )]
    fn changeable(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
        verb: &str,
        sender: &Sender,
        serial: Serial,
        attempt: Option<u64>,
        out: &mut Outbox,
    ) -> Result<(Head, bool), Error> {
        let head = self.settled(store, now, verb, serial, out)?;
        let drives = self.fence(store, verb, sender, head.turn.as_deref(), attempt)?;
        self.may_change(verb, sender, &head.client)?;
        Ok((head, drives))
    }

    /// A message as it stands after everything pending is stored.
    fn settled(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
        verb: &str,
        serial: Serial,
        out: &mut Outbox,
    ) -> Result<Head, Error> {
        let place = self.place(verb, serial)?;
        self.settle(store, now, out)?;
        self.existing(store, verb, place)
    }

    /// A change was made that may be a sign of life of its turn's leader.
    fn changed_turn(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
        sender: &Sender,
        head: &Head,
        drives: bool,
    ) -> Result<(), StoreError> {
        match &head.turn {
            Some(turn) if drives => self.drove(store, now, sender, turn),
            // What streamed may have told of its leader until now.
            Some(_) => self.keep_pings(store),
            None => Ok(()),
        }
    }

    fn check_update(&self, update: &Update, head: &Head) -> Result<(), ErrorInfo> {
        let refused = |code, reason: &str| {
            let message = format!("unable to update; message {} {reason}", update.serial);
            Err(ErrorInfo::new(code, message))
        };
        let is_streaming = head.status == Some(Status::Streaming);
        if update.data.is_none() && update.headers.is_none() && update.status.is_none() {
            let message = "unable to update; none of data, headers and status are given";
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        }
        if update.status.is_some() && !is_streaming {
            return refused(ErrorCode::Closed, "is closed");
        }
        let is_kept = update.data.is_none() && update.status.is_some();
        if let Some(seq) = update.seq.filter(|_| is_kept)
            && head.seq + 1 < seq
        {
            // It leaves the text as it is, which lacks what came before this `seq` (P5.3).
            let length = self.rollup.open.get(&head.place);
            let length = length.map_or(0, Open::length);
            return Err(gap("update", update.serial, head.seq, length));
        }
        let Some(data) = &update.data else {
            return Ok(());
        };
        if is_streaming && update.status.is_none() && !matches!(data, Data::Text(_)) {
            return refused(ErrorCode::InvalidFrame, "streams, data is not text");
        }
        let limit = usize::try_from(self.limits.data_bytes).unwrap_or(usize::MAX);
        if limit < data.bytes() {
            return Err(too_large("update", data.bytes(), limit));
        }
        Ok(())
    }

    fn changed(&self, what: Change, subject: Place, sender: &Sender, at: Timestamp) -> Write {
        let client = Some(sender.client.clone());
        Write::Change {
            place: self.end,
            what,
            subject,
            client,
            at,
        }
    }

    fn outcome(&self, place: Place, version: Place, seq: Option<u64>) -> Outcome {
        let mut placed = Placed::new(self.epoch.at(place), self.epoch.at(version));
        placed.seq = seq;
        Outcome::Changed(placed)
    }
}

/// Whether an update was taken before, or its text is older than what the message holds (P5.3).
fn is_repeat(update: &Update, head: &Head) -> bool {
    let is_closed = update.status.is_some() && head.status != Some(Status::Streaming);
    let is_taken = |seq: u64| seq < head.seq || is_closed && seq == head.seq;
    !head.is_deleted && update.seq.is_some_and(is_taken)
}

fn deleted(verb: &str, serial: Serial) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::Deleted,
        format!("unable to {verb}; message {serial} is deleted"),
    )
}

fn check_version(
    verb: &str,
    serial: Serial,
    wanted: Option<Serial>,
    head: &Head,
) -> Result<(), ErrorInfo> {
    let stands = Serial {
        epoch: serial.epoch,
        place: head.version,
    };
    match wanted {
        Some(wanted) if wanted != stands => {
            let message =
                format!("unable to {verb}; message {serial} has version {stands}, not {wanted}");
            Err(ErrorInfo::new(ErrorCode::Conflict, message))
        }
        Some(_) | None => Ok(()),
    }
}
