//! Messages are updated and deleted (P4.3).

use super::answer::Reply;
use super::connection::Sender;
use super::outbox::Outbox;
use super::{Error, Session};
use crate::protocol::data::{Data, units};
use crate::protocol::decode::{Delete, Update, too_large};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, Placed, ServerFrame};
use crate::protocol::ids::Timestamp;
use crate::protocol::message::Status;
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
        let (head, drives) = self.changeable(store, now, "update", sender, serial, attempt, out)?;
        if head.is_deleted {
            return Err(deleted("update", update.serial).into());
        }
        if update.seq.is_some_and(|seq| seq < head.seq) {
            // P5.3: the text is older than what the message holds already.
            self.repeat(&head, update.seq, reply, out);
            return Ok(());
        }
        check_version("update", update.serial, update.if_version, &head)?;
        self.check_update(&update, &head)?;
        self.check_space("update")?;
        self.end += 1;
        let version = self.end;
        let seq = update.seq.unwrap_or(head.seq);
        let is_streaming = head.status == Some(Status::Streaming);
        let headers = update.headers.as_ref();
        let mut writes = vec![Write::Update {
            place: head.place,
            version,
            seq,
            data: update.data.clone(),
            headers: headers.map(|map| serde_json::to_string(map).unwrap_or_default()),
            is_streaming,
            at: now,
        }];
        writes.push(self.changed(Change::Update, head.place, sender, now));
        if let Some(id) = &update.id {
            writes.push(self.remember_id(now, sender, Kind::Update, id, head.place));
        }
        store.write(&writes)?;
        self.written_at = now;
        if let Some(open) = self.rollup.open.get_mut(&head.place) {
            open.seq = seq;
            open.heard_at = now;
            match &update.data {
                Some(Data::Text(text)) => open.replace(version, units(text), text.len()),
                Some(Data::Json(_)) | None => open.version = version,
            }
        }
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
        if update.data.is_none() && update.headers.is_none() {
            let message = "unable to update; neither data nor headers are given";
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        }
        let Some(data) = &update.data else {
            return Ok(());
        };
        if head.status == Some(Status::Streaming) && !matches!(data, Data::Text(_)) {
            let message = format!(
                "unable to update; message {} streams, data is not text",
                update.serial
            );
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
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
