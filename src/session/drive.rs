//! What the leader of a turn does with it: end, suspend, resume, keep alive (P6.3, P6.8).

use super::answer::Reply;
use super::connection::Sender;
use super::outbox::Outbox;
use super::step::Step;
use super::turn::End;
use super::{Error, Session};
use crate::protocol::capability::Operation;
use crate::protocol::decode::{DriveTurn, EndTurn};
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;
use crate::protocol::turn::{Event, State};
use crate::store::{Kind, Store};

impl Session {
    /// Ends a turn, with everything in it (P6.3).
    pub(super) fn end_turn(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        end: EndTurn,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        const VERB: &str = "end the turn";
        let EndTurn {
            turn: id,
            attempt,
            status,
            error,
            id: frame_id,
        } = end;
        sender.must(Operation::Turn, VERB, &self.id)?;
        self.limit_frame(now, sender, VERB)?;
        if self.repeats_turn(
            store,
            now,
            sender,
            Kind::EndTurn,
            frame_id.as_ref(),
            reply,
            out,
        )? {
            return Ok(());
        }
        self.lead(store, VERB, sender, &id, attempt)?;
        self.settle(store, now, out)?;
        let mut step = Step::default();
        let place = self.turns.get(&id).map_or(0, |open| open.turn.place);
        let end = End {
            ending: status,
            reason: None,
            error,
            client: Some(&sender.client),
        };
        let shown = self.finish_turn(store, now, &mut step, &id, end)?;
        self.keep_id(
            now,
            sender,
            Kind::EndTurn,
            frame_id.as_ref(),
            place,
            &mut step,
        );
        self.commit(store, now, step, out)?;
        self.answer_shown(shown, reply, out);
        Ok(())
    }

    /// `turn.suspend`, `turn.resume` and `turn.heartbeat`: asked again for what it is already,
    /// a turn stays as it is (P6.3, P6.8).
    #[expect(clippy::too_many_arguments, reason = "one more than every frame has")]
    pub(super) fn drive_turn(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        kind: Kind,
        drive: DriveTurn,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        let verb = match kind {
            Kind::SuspendTurn => "suspend the turn",
            Kind::ResumeTurn => "resume the turn",
            _ => "keep the turn",
        };
        sender.must(Operation::Turn, verb, &self.id)?;
        // A sign of life writes nothing, unless its id is to be kept.
        if kind != Kind::Heartbeat || drive.id.is_some() {
            self.limit_frame(now, sender, verb)?;
        }
        if self.repeats_turn(store, now, sender, kind, drive.id.as_ref(), reply, out)? {
            return Ok(());
        }
        let DriveTurn {
            turn: id,
            attempt,
            reason,
            ..
        } = drive;
        self.lead(store, verb, sender, &id, attempt)?;
        let state = self.turns.get(&id).map(|open| open.turn.state.clone());
        let next = match (kind, state) {
            (Kind::SuspendTurn, Some(State::Active(lead))) => {
                let at = now;
                Some((Event::Suspend, State::Suspended { lead, reason, at }))
            }
            (Kind::ResumeTurn, Some(State::Suspended { lead, .. })) => {
                Some((Event::Resume, State::Active(lead)))
            }
            _ => None,
        };
        let mut step = Step::default();
        if let Some((event, state)) = next {
            self.settle(store, now, out)?;
            // A lease that begins again begins now.
            self.heard_turn(now, &id);
            let client = Some(sender.client.as_str());
            self.change_turn(now, &mut step, &id, event, client, |turn| {
                turn.state = state
            });
        }
        let place = self.turns.get(&id).map_or(0, |open| open.turn.place);
        self.keep_id(now, sender, kind, drive.id.as_ref(), place, &mut step);
        self.commit(store, now, step, out)?;
        self.drove(store, now, sender, &id)?;
        let shown = self.turns.get(&id).map(|open| self.shown(open));
        self.answer_shown(shown, reply, out);
        Ok(())
    }

    /// Answers a repeat of a frame with an `id` (P13.1); whether it was one.
    #[expect(
        clippy::too_many_arguments,
        reason = "what every frame has, and its id"
    )]
    pub(super) fn repeats_turn(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        kind: Kind,
        id: Option<&String>,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<bool, Error> {
        let Some(id) = id else { return Ok(false) };
        let Some(place) = self.once(store, now, sender, kind, id)? else {
            return Ok(false);
        };
        if let Some(turn) = store.turn_at(place)? {
            self.answer_turn(&turn, true, reply, out);
            return Ok(true);
        }
        Ok(false)
    }

    /// Keeps the id of a frame about a turn.
    pub(super) fn keep_id(
        &self,
        now: Timestamp,
        sender: &Sender,
        kind: Kind,
        id: Option<&String>,
        place: Place,
        step: &mut Step,
    ) {
        if let Some(id) = id {
            step.write(self.remember_id(now, sender, kind, id, place));
        }
    }
}
