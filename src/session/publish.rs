//! Messages are created (P4.1, P4.2).

use super::answer::Reply;
use super::connection::Sender;
use super::outbox::Outbox;
use super::rollup::Open;
use super::step::Step;
use super::{Error, Session};
use crate::protocol::capability::Operation;
use crate::protocol::data::{Data, units};
use crate::protocol::decode::{Interrupt, NewMessage, Publish, too_large};
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
    /// It is created in the place of one that an earlier attempt left unfinished (P6.8).
    Instead(Head),
    /// It was created before.
    Known(Head),
    /// It repeats the id of an earlier one in the same publish.
    Twin(usize),
}

impl Session {
    /// Creates messages: all of them or none.
    pub(super) fn publish(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        publish: Publish,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        sender.must(Operation::Publish, "publish", &self.id)?;
        self.limit_frame(now, sender, "publish")?;
        let interrupt = publish.interrupt.unwrap_or(Interrupt::None);
        self.check_interrupt(store, sender, &interrupt)?;
        let (messages, attempt) = (&publish.messages, publish.attempt);
        let verdicts = self.judge(store, now, sender, messages, attempt, &interrupt)?;
        self.check_room(store, "publish")?;
        // From here on it is taken: a refused one has ended nobody's window.
        self.settle(store, now, out)?;
        let mut step = Step::default();
        if verdicts.iter().any(Verdict::is_new) {
            self.interrupt(store, now, &mut step, sender, &interrupt)?;
            self.make_way(store, now, &mut step, sender, &publish.messages)?;
        }
        let mut placed: Vec<Placed> = Vec::with_capacity(verdicts.len());
        let mut driven = Vec::new();
        for (new, verdict) in publish.messages.into_iter().zip(verdicts) {
            let id = new.id.clone();
            if verdict.is_new() {
                driven.extend(new.turn.clone());
            }
            if let Verdict::Instead(head) = &verdict {
                self.supersede_message(now, &mut step, head, &sender.client);
            }
            let mut result = match verdict {
                Verdict::Known(head) => {
                    // Text that was pending of it is stored by now.
                    let open = self.rollup.open.get(&head.place);
                    let version = open.map_or(head.version, |open| open.version);
                    repeated(self.epoch, head.place, version)
                }
                Verdict::Twin(first) => match placed.get(first) {
                    Some(first) => Placed {
                        duplicate: true,
                        ..first.clone()
                    },
                    None => continue,
                },
                Verdict::New | Verdict::Instead(_) => {
                    let waits = self.is_queued_input(sender, &new);
                    let message = self.create(now, sender, new);
                    let serial = message.serial;
                    self.announce(now, message, &mut step);
                    if waits {
                        self.queue_input(now, &mut step, serial.place, &sender.client);
                    }
                    Placed::new(serial, serial)
                }
            };
            result.id = id;
            placed.push(result);
        }
        self.commit(store, now, step, out)?;
        driven.dedup();
        for turn in driven {
            self.drove(store, now, sender, &turn)?;
        }
        self.answer(out, reply, Ok(Outcome::Published { messages: placed }));
        Ok(())
    }

    /// Decides about every message before anything is written.
    fn judge(
        &self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        messages: &[NewMessage],
        attempt: Option<u64>,
        interrupt: &Interrupt,
    ) -> Result<Vec<Verdict>, Error> {
        let mut verdicts = Vec::with_capacity(messages.len());
        let mut waiting = 0;
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
            let known = self.known(store, now, sender, new)?;
            let attempt = new.attempt.or(attempt);
            if let Some(turn) = &new.turn
                && (known.is_none() || self.turns.contains_key(turn))
            {
                self.lead(store, "publish", sender, turn, attempt)?;
                self.check_outlives(interrupt, turn)?;
            }
            let verdict = match known {
                Some(head) if !self.is_left(&head) => {
                    verdicts.push(Verdict::Known(head));
                    continue;
                }
                Some(head) => Verdict::Instead(head),
                None => Verdict::New,
            };
            self.check_new(store, sender, new)?;
            self.check_input(sender, new, interrupt, &mut waiting)?;
            streaming += usize::from(new.status == Some(Status::Streaming));
            let limit = usize::try_from(self.limits.streaming_messages).unwrap_or(usize::MAX);
            if limit < streaming {
                let message = format!("unable to publish; {limit} messages stream already");
                return Err(ErrorInfo::new(ErrorCode::OverLimit, message).into());
            }
            verdicts.push(verdict);
        }
        Ok(verdicts)
    }

    /// The message that an id stands for already.
    fn known(
        &self,
        store: &Store,
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

    fn check_new(&self, store: &Store, sender: &Sender, new: &NewMessage) -> Result<(), Error> {
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
            trimmed_at: None,
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
            turn: new.turn,
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
    fn announce(&mut self, now: Timestamp, message: Message, step: &mut Step) {
        let place = message.serial.place;
        step.write(Write::Create(message.clone()));
        if let (Some(Status::Streaming), Some(Data::Text(text))) = (message.status, &message.data) {
            let head = Head {
                place,
                version: place,
                seq: 0,
                status: message.status,
                client: message.client.clone(),
                connection: message.connection.clone(),
                name: message.name.clone(),
                id: message.id.clone(),
                turn: message.turn.clone(),
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
            if message.turn.is_none() {
                self.expect_idle_stream(now);
            }
        } else if message.turn.is_none() {
            self.expect_retention(place, now);
        }
        let name = message.name.clone();
        step.tell_of(&name, ServerFrame::Create { message });
    }
}

impl Verdict {
    fn is_new(&self) -> bool {
        matches!(self, Self::New | Self::Instead(_))
    }
}

fn repeated(epoch: Epoch, place: Place, version: Place) -> Placed {
    let mut placed = Placed::new(epoch.at(place), epoch.at(version));
    placed.duplicate = true;
    placed
}
