//! Messages are created (P4.1, P4.2).

use super::answer::Reply;
use super::connection::Sender;
use super::outbox::Outbox;
use super::rollup::Open;
use super::{Error, Session};
use crate::protocol::capability::Operation;
use crate::protocol::data::{Data, units};
use crate::protocol::decode::{NewMessage, Publish, too_large};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, Placed, ServerFrame};
use crate::protocol::ids::Timestamp;
use crate::protocol::message::{DEFAULT_NAME, Message, Role, Status};
use crate::protocol::serial::{Epoch, Place};
use crate::store::{Beginning, Head, Kind, Store, StoreError, Streaming, Tail, Write};

/// What becomes of one message of a publish.
enum Verdict {
    /// It is created.
    New,
    /// It was created before.
    Known(Head),
    /// It repeats the id of an earlier one in the same publish.
    Twin(usize),
}

impl Session {
    /// Creates messages: all of them or none.
    pub(super) fn publish(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
        sender: &Sender,
        publish: Publish,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        sender.must(Operation::Publish, "publish", &self.id)?;
        self.limit_frame(now, sender, "publish")?;
        self.settle(store, now, out)?;
        let verdicts = self.judge(store, now, sender, &publish.messages)?;
        self.check_space("publish")?;
        let mut writes = self.begin(now);
        let mut placed: Vec<Placed> = Vec::with_capacity(verdicts.len());
        let mut created = Vec::new();
        for (new, verdict) in publish.messages.into_iter().zip(verdicts) {
            let id = new.id.clone();
            let mut result = match verdict {
                Verdict::Known(head) => repeated(self.epoch, head.place, head.version),
                Verdict::Twin(first) => match placed.get(first) {
                    Some(first) => Placed {
                        duplicate: true,
                        ..first.clone()
                    },
                    None => continue,
                },
                Verdict::New => {
                    let message = self.create(now, sender, new);
                    let serial = message.serial;
                    created.push(message);
                    Placed::new(serial, serial)
                }
            };
            result.id = id;
            placed.push(result);
        }
        if !created.is_empty() {
            writes.extend(created.iter().cloned().map(Write::Create));
            store.write(&writes)?;
            self.written_at = now;
            self.created_at.get_or_insert(now);
            for message in created {
                self.announce(now, message, out);
            }
        }
        self.answer(out, reply, Ok(Outcome::Published { messages: placed }));
        Ok(())
    }

    /// Decides about every message before anything is written.
    fn judge(
        &self,
        store: &dyn Store,
        now: Timestamp,
        sender: &Sender,
        messages: &[NewMessage],
    ) -> Result<Vec<Verdict>, Error> {
        let mut verdicts = Vec::with_capacity(messages.len());
        let mut streaming = self.rollup.open.len();
        for (index, new) in messages.iter().enumerate() {
            let earlier = messages.iter().take(index);
            let twin = earlier
                .enumerate()
                .find(|(_, earlier)| new.id.is_some() && earlier.id == new.id)
                .map(|(first, _)| first);
            if let Some(first) = twin {
                verdicts.push(Verdict::Twin(first));
                continue;
            }
            if let Some(head) = self.known(store, now, sender, new)? {
                verdicts.push(Verdict::Known(head));
                continue;
            }
            self.check_new(store, sender, new)?;
            streaming += usize::from(new.status == Some(Status::Streaming));
            let limit = usize::try_from(self.limits.streaming_messages).unwrap_or(usize::MAX);
            if limit < streaming {
                let message = format!("unable to publish; {limit} messages stream already");
                return Err(ErrorInfo::new(ErrorCode::OverLimit, message).into());
            }
            verdicts.push(Verdict::New);
        }
        Ok(verdicts)
    }

    /// The message that an id stands for already.
    fn known(
        &self,
        store: &dyn Store,
        now: Timestamp,
        sender: &Sender,
        new: &NewMessage,
    ) -> Result<Option<Head>, StoreError> {
        let Some(id) = &new.id else { return Ok(None) };
        let Some(place) = self.once(store, now, sender, Kind::Message, id)? else {
            return Ok(None);
        };
        let head = store.head(place)?;
        // The id of a streamed body that failed is free again (P4.2).
        let is_failed_body = |head: &Head| {
            head.status == Some(Status::Failed)
                && head
                    .connection
                    .as_ref()
                    .is_some_and(|connection| connection.is_body())
        };
        Ok(head.filter(|head| !is_failed_body(head)))
    }

    fn check_new(&self, store: &dyn Store, sender: &Sender, new: &NewMessage) -> Result<(), Error> {
        let may_speak = [Operation::Turn, Operation::Edit]
            .iter()
            .any(|operation| sender.operations.contains(*operation));
        if new.role != Role::User && !may_speak {
            let message = format!(
                "unable to publish with role {}; the token lacks turn or edit on session {}",
                new.role.as_str(),
                self.id
            );
            return Err(ErrorInfo::new(ErrorCode::Forbidden, message).into());
        }
        if let Some(turn) = &new.turn {
            let message = format!("unable to publish; there is no turn {turn}");
            return Err(ErrorInfo::new(ErrorCode::NotFound, message).into());
        }
        if let Some(parent) = new.parent {
            let place = self.place("publish after parent", parent)?;
            self.existing(store, "publish after parent", place)?;
        }
        if new.status == Some(Status::Streaming) && !matches!(new.data, Data::Text(_)) {
            let message = "unable to publish; only text can stream, data is not text";
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message).into());
        }
        let limit = usize::try_from(self.limits.data_bytes).unwrap_or(usize::MAX);
        if limit < new.data.bytes() {
            return Err(too_large("publish", new.data.bytes(), limit).into());
        }
        Ok(())
    }

    /// How the session begins, if it has not (P1.2).
    pub(super) fn begin(&self, now: Timestamp) -> Vec<Write> {
        if self.created_at.is_some() {
            return Vec::new();
        }
        vec![Write::Begin(Beginning {
            epoch: self.epoch,
            created_at: now,
            floor: self.floor,
            settings: self.settings.clone(),
        })]
    }

    fn create(&mut self, now: Timestamp, sender: &Sender, new: NewMessage) -> Message {
        self.end += 1;
        let serial = self.epoch.at(self.end);
        Message {
            serial,
            version: serial,
            id: new.id,
            name: new.name.unwrap_or_else(|| DEFAULT_NAME.to_owned()),
            client: sender.client.clone(),
            connection: sender.connection.clone(),
            role: new.role,
            parent: new.parent,
            data: Some(new.data),
            headers: new.headers,
            status: new.status,
            seq: None,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }

    /// Tells everybody of a message that was created, and begins to follow one that streams.
    fn announce(&mut self, now: Timestamp, message: Message, out: &mut Outbox) {
        let place = message.serial.place;
        if let (Some(Status::Streaming), Some(Data::Text(text))) = (message.status, &message.data) {
            let head = Head {
                place,
                version: place,
                seq: 0,
                status: message.status,
                client: message.client.clone(),
                connection: message.connection.clone(),
                name: message.name.clone(),
                is_deleted: false,
                updated_at: now,
            };
            let bytes = text.len();
            let tail = Tail { segment: 0, bytes };
            let streaming = Streaming {
                head,
                units: units(text),
                bytes,
                tail,
            };
            self.rollup.open.insert(place, Open::new(streaming));
            self.expect_idle_stream(now);
        } else {
            self.expect_retention(place, now);
        }
        let name = message.name.clone();
        self.broadcast(out, &ServerFrame::Create { message }, Some(&name));
    }
}

fn repeated(epoch: Epoch, place: Place, version: Place) -> Placed {
    let mut placed = Placed::new(epoch.at(place), epoch.at(version));
    placed.duplicate = true;
    placed
}
