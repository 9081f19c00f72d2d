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
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        update: Update,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        self.limit_frame(now, sender, "update")?;
        let head = self.standing(store, "update", update.serial)?;
        let known = match &update.id {
            Some(id) => self.once(store, now, sender, Kind::Update, id)?,
            None => None,
        };
        if known.is_some() {
            return self.repeat_settled(store, now, &head, update.seq, reply, out);
        }
        let is_repeat = is_repeat(&update, &head);
        let drives = match &head.turn {
            // An update that a final turn took is sent again until it is acknowledged.
            Some(turn) if is_repeat && !self.turns.contains_key(turn) => false,
            turn => self.fence(store, "update", sender, turn.as_deref(), update.attempt)?,
        };
        self.may_change("update", sender, &head.client)?;
        if head.is_deleted {
            return Err(deleted("update", update.serial).into());
        }
        if is_repeat {
            return self.repeat_settled(store, now, &head, update.seq, reply, out);
        }
        self.check_version("update", update.serial, update.if_version, &head)?;
        self.check_update(&update, &head)?;
        self.check_room(store, "update")?;
        // From here on it is taken: a refused one has ended nobody's window.
        self.settle(store, now, out)?;
        self.replace(store, now, sender, &update, &head)?;
        let seq = update.seq;
        let version = self.end;
        let Some((mut message, bytes)) = store.outline(self.epoch, head.place)? else {
            return Err(StoreError("the message that was updated is not there".into()).into());
        };
        // Readers have what did not change (P4.4); its row was written anew all the same.
        out.made += bytes;
        message.data = update.data;
        self.broadcast(out, &ServerFrame::Update { message }, Some(&head.name));
        self.changed_turn(store, now, sender, &head, drives)?;
        self.answer(out, reply, Ok(self.outcome(head.place, version, seq)));
        Ok(())
    }

    /// Stores an update, and follows what it changes of a message that streams.
    fn replace(
        &mut self,
        store: &Store,
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
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        delete: &Delete,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        self.limit_frame(now, sender, "delete")?;
        let head = self.standing(store, "delete", delete.serial)?;
        let known = match &delete.id {
            Some(id) => self.once(store, now, sender, Kind::Delete, id)?,
            None => None,
        };
        if known.is_some() {
            return self.repeat_settled(store, now, &head, None, reply, out);
        }
        let turn = head.turn.as_deref();
        let drives = self.fence(store, "delete", sender, turn, delete.attempt)?;
        self.may_change("delete", sender, &head.client)?;
        if head.is_deleted {
            return Err(deleted("delete", delete.serial).into());
        }
        self.check_version("delete", delete.serial, delete.if_version, &head)?;
        self.check_space("delete")?;
        self.settle(store, now, out)?;
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

    /// A message as it will stand once all is stored that was taken: what is to be decided
    /// about it can be decided without.
    fn standing(&self, store: &Store, verb: &str, serial: Serial) -> Result<Head, Error> {
        let place = self.place(verb, serial)?;
        let mut head = self.existing(store, verb, place)?;
        if let Some(open) = self.rollup.open.get(&place) {
            head.seq = open.seq;
        }
        Ok(head)
    }

    /// Answers a repeat with the message as it stands, which may have to be stored first.
    fn repeat_settled(
        &mut self,
        store: &Store,
        now: Timestamp,
        head: &Head,
        seq: Option<u64>,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        self.settle(store, now, out)?;
        let head = self.existing(store, "change", head.place)?;
        self.repeat(&head, seq, reply, out);
        Ok(())
    }

    /// A change was made that may be a sign of life of its turn's leader.
    fn changed_turn(
        &mut self,
        store: &Store,
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

    fn check_version(
        &self,
        verb: &str,
        serial: Serial,
        wanted: Option<Serial>,
        head: &Head,
    ) -> Result<(), ErrorInfo> {
        let Some(wanted) = wanted else {
            return Ok(());
        };
        let open = self.rollup.open.get(&head.place);
        let grows = open.is_some_and(|open| 0 < open.pending_units);
        let stands = self.epoch.at(head.version);
        if wanted == stands && !grows {
            return Ok(());
        }
        let reason = if grows {
            format!("message {serial} is growing beyond version {stands}")
        } else {
            format!("message {serial} has version {stands}, not {wanted}")
        };
        let message = format!("unable to {verb}; {reason}");
        Err(ErrorInfo::new(ErrorCode::Conflict, message))
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
