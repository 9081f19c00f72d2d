//! Steering: instructions to a running turn, and whether they were taken (P6.7).

use super::answer::Reply;
use super::connection::Sender;
use super::control::missing_turn;
use super::lease::closed_turn;
use super::outbox::Outbox;
use super::step::Step;
use super::turn::waiting;
use super::{Error, Session};
use crate::protocol::capability::Operation;
use crate::protocol::decode::{Steer, Steered, too_large};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, ServerFrame, TurnFrame};
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{PAGE_BYTES, TURN_STEERS, WAITING_STEERS};
use crate::protocol::message::{Headers, Message, Role};
use crate::protocol::serial::Place;
use crate::protocol::turn::{Event, Turn};
use crate::store::{Change, Kept, Kind, Store, StoreError, Write};

/// The name of a message that is an instruction, and of the header that says what became
/// of it.
const STEER: &str = "steer";

impl Session {
    /// Hands an instruction to a turn: a message, and a frame about the turn, in one entry.
    pub(super) fn steer(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        steer: Steer,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        sender.must(Operation::Steer, STEER, &self.id)?;
        self.limit_frame(now, sender, STEER)?;
        let turn = self.turns.get(&steer.turn).map(|open| open.turn.clone());
        let turn = match turn {
            Some(turn) => turn,
            None => {
                let found = store.turn(&steer.turn)?;
                found.ok_or_else(|| missing_turn(STEER, &steer.turn))?
            }
        };
        if let Some(id) = &steer.id
            && let Some(place) = self.once(store, now, sender, Kind::Steer, id)?
        {
            return self.answer_steer(place, &turn, true, reply, out);
        }
        if !turn.is_open() {
            return Err(closed_turn(STEER, &turn).into());
        }
        let limit = usize::try_from(self.limits.data_bytes).unwrap_or(usize::MAX);
        if limit < steer.data.bytes() {
            return Err(too_large(STEER, steer.data.bytes(), limit).into());
        }
        if TURN_STEERS <= turn.steers.len() {
            let message = format!(
                "unable to steer; turn {} was steered {TURN_STEERS} times",
                turn.id
            );
            return Err(ErrorInfo::new(ErrorCode::OverLimit, message).into());
        }
        self.check_waiting_steers()?;
        self.check_room(store, STEER)?;
        self.settle(store, now, out)?;
        let mut step = Step::default();
        let place = self.tell_steer(now, &mut step, sender, &steer);
        self.keep_id(
            now,
            sender,
            Kind::Steer,
            steer.id.as_ref(),
            place,
            &mut step,
        );
        self.commit(store, now, step, out)?;
        self.answer_steer(place, &turn, false, reply, out)
    }

    /// Whether one more instruction may wait.
    fn check_waiting_steers(&self) -> Result<(), ErrorInfo> {
        let open = self.turns.values();
        let waits: usize = open.map(|open| waiting(&open.turn).len()).sum();
        if waits < WAITING_STEERS {
            return Ok(());
        }
        let message = format!("unable to steer; {WAITING_STEERS} steers wait in open turns");
        Err(ErrorInfo::new(ErrorCode::OverLimit, message))
    }

    fn tell_steer(
        &mut self,
        now: Timestamp,
        step: &mut Step,
        sender: &Sender,
        steer: &Steer,
    ) -> Place {
        self.end += 1;
        let place = self.end;
        let serial = self.epoch.at(place);
        let message = Message {
            serial,
            version: serial,
            id: None,
            name: STEER.to_owned(),
            client: sender.client.clone(),
            connection: sender.connection.clone(),
            role: Role::User,
            turn: Some(steer.turn.clone()),
            parent: None,
            data: Some(steer.data.clone()),
            headers: Some(Headers::from([(STEER.to_owned(), "waiting".to_owned())])),
            status: None,
            seq: None,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        step.write(Write::Create(message.clone()));
        step.tell_of(STEER, ServerFrame::Create { message });
        self.note_steer(step, &steer.turn, place, false);
        if let Some(open) = self.turns.get(&steer.turn) {
            step.tell(ServerFrame::Turn(TurnFrame {
                r#type: Event::Steer,
                serial,
                turn: self.shown(open),
                message: Some(serial),
                data: Some(steer.data.clone()),
            }));
        }
        place
    }

    fn answer_steer(
        &mut self,
        place: Place,
        turn: &Turn,
        duplicate: bool,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        let outcome = Outcome::Steered {
            serial: self.epoch.at(place),
            turn: Box::new(self.stored(turn)),
            duplicate,
        };
        self.answer(out, reply, Ok(outcome));
        Ok(())
    }

    /// The leader has taken an instruction.
    pub(super) fn steered(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        steered: &Steered,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        const VERB: &str = "take the instruction";
        sender.must(Operation::Turn, VERB, &self.id)?;
        self.limit_frame(now, sender, VERB)?;
        let kind = Kind::Steered;
        if self.repeats_turn(store, now, sender, kind, steered.id.as_ref(), reply, out)? {
            return Ok(());
        }
        self.lead(store, VERB, sender, &steered.turn, steered.attempt)?;
        let place = self.place(VERB, steered.serial)?;
        let turn = self.turns.get(&steered.turn).map(|open| open.turn.clone());
        let Some(turn) = turn else {
            return Err(missing_turn(VERB, &steered.turn).into());
        };
        let mut steers = turn.steers.iter();
        let Some((_, is_taken)) = steers.find(|(steer, _)| *steer == place) else {
            let message = format!(
                "unable to {VERB}; {} is none of turn {}",
                steered.serial, turn.id
            );
            return Err(ErrorInfo::new(ErrorCode::NotFound, message).into());
        };
        if *is_taken {
            self.answer_turn(&turn, true, reply, out);
            return Ok(());
        }
        self.settle(store, now, out)?;
        let mut step = Step::default();
        self.mark_steer(store, now, &mut step, place, "taken", 0)?;
        self.note_steer(&mut step, &turn.id, place, true);
        self.keep_id(
            now,
            sender,
            kind,
            steered.id.as_ref(),
            turn.place,
            &mut step,
        );
        self.commit(store, now, step, out)?;
        self.drove(store, now, sender, &turn.id)?;
        self.answer_turn(&turn, false, reply, out);
        Ok(())
    }

    /// Keeps with the turn whether an instruction was taken.
    fn note_steer(&mut self, step: &mut Step, id: &str, place: Place, is_taken: bool) {
        if let Some(open) = self.turns.get_mut(id) {
            let steers = &mut open.turn.steers;
            match steers.iter_mut().find(|(steer, _)| *steer == place) {
                Some((_, known)) => *known = is_taken,
                None => steers.push((place, is_taken)),
            }
            step.write(Write::TurnRow(Kept {
                turn: open.turn.clone(),
                heard_at: open.kept_at,
            }));
        }
    }

    /// Says in an instruction what became of it, so that its sender can tell. It is told with its
    /// data where there is room for that; gives how much that takes.
    pub(super) fn mark_steer(
        &mut self,
        store: &Store,
        now: Timestamp,
        step: &mut Step,
        place: Place,
        word: &str,
        room: usize,
    ) -> Result<usize, StoreError> {
        let outline = store.outline(self.epoch, place)?;
        let Some((mut message, bytes)) = outline.filter(|(it, _)| it.deleted_at.is_none()) else {
            return Ok(0);
        };
        if bytes <= room {
            message.data = store.message(self.epoch, place)?.and_then(|it| it.data);
        }
        self.end += 1;
        let version = self.end;
        let mut headers = message.headers.take().unwrap_or_default();
        headers.insert(STEER.to_owned(), word.to_owned());
        step.write(Write::Update {
            place,
            version,
            seq: 0,
            data: None,
            headers: Some(serde_json::json!(headers).to_string()),
            status: None,
            is_streaming: false,
            at: now,
        });
        step.change(version, Change::Update, place, None, now);
        message.version = self.epoch.at(version);
        message.headers = Some(headers);
        message.updated_at = now;
        let name = message.name.clone();
        step.tell_of(&name, ServerFrame::Update { message });
        Ok(bytes)
    }

    /// Instructions that a lost attempt took wait again, for the next one (P6.8).
    pub(super) fn renew_steers(
        &mut self,
        store: &Store,
        now: Timestamp,
        step: &mut Step,
        id: &str,
    ) -> Result<(), StoreError> {
        let steers = self.turns.get(id).map(|open| open.turn.steers.clone());
        let taken = steers
            .into_iter()
            .flatten()
            .filter(|(_, is_taken)| *is_taken);
        // An agent that takes the turn over may never have held them.
        let mut room = PAGE_BYTES;
        for (place, _) in taken.collect::<Vec<_>>() {
            let bytes = self.mark_steer(store, now, step, place, "waiting", room)?;
            room = room.saturating_sub(bytes);
            self.note_steer(step, id, place, false);
        }
        Ok(())
    }
}
