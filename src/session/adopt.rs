//! Another process takes a turn over: what the one before it said is superseded, and what it
//! still says is refused (P6.8).

use super::answer::Reply;
use super::connection::Sender;
use super::lease::closed_turn;
use super::outbox::Outbox;
use super::step::Step;
use super::{Error, Session};
use crate::protocol::capability::Operation;
use crate::protocol::decode::AdoptTurn;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::ServerFrame;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::ADOPTED_MESSAGES;
use crate::protocol::turn::{Event, Lead, State, Turn};
use crate::store::{Change, Head, Kind, Store, StoreError, Write};

const VERB: &str = "adopt the turn";

impl Session {
    /// Makes the sender the leader of a turn.
    pub(super) fn adopt(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        adopt: &AdoptTurn,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        sender.must(Operation::Turn, VERB, &self.id)?;
        self.limit_frame(now, sender, VERB)?;
        let kind = Kind::AdoptTurn;
        if self.repeats_turn(store, now, sender, kind, adopt.id.as_ref(), reply, out)? {
            return Ok(());
        }
        let Some(open) = self.turns.get(&adopt.turn) else {
            let turn = store.turn(&adopt.turn)?;
            let turn = turn.ok_or_else(|| super::control::missing_turn(VERB, &adopt.turn))?;
            return Err(closed_turn(VERB, &turn).into());
        };
        let turn = open.turn.clone();
        if turn
            .agent
            .as_ref()
            .is_some_and(|agent| *agent != sender.client)
        {
            let agent = turn.agent.unwrap_or_default();
            let message = format!("unable to {VERB}; turn {} is {agent}'s", turn.id);
            return Err(ErrorInfo::new(ErrorCode::NotLeader, message).into());
        }
        self.check_room(store, VERB)?;
        let is_superseded = matches!(turn.state, State::Active(_)) && !adopt.keep;
        if is_superseded
            && ADOPTED_MESSAGES < store.turn_messages(&turn, ADOPTED_MESSAGES + 1)?.len()
        {
            let message = format!(
                "unable to {VERB}; turn {} has more than {ADOPTED_MESSAGES} messages, which are \
                 too many to take back: adopt it with keep",
                turn.id
            );
            return Err(ErrorInfo::new(ErrorCode::OverLimit, message).into());
        }
        self.settle(store, now, out)?;
        let mut step = Step::default();
        let shown = if turn.state == State::Queued {
            self.take_turn(now, &mut step, &turn.id, sender, adopt.lease_ms, |_| {})
        } else {
            self.take_over(now, &mut step, &turn, sender, adopt.lease_ms)
        };
        if is_superseded {
            self.supersede(store, now, &mut step, &turn, sender)?;
        }
        self.renew_steers(store, now, &mut step, &turn.id)?;
        self.keep_id(now, sender, kind, adopt.id.as_ref(), turn.place, &mut step);
        self.commit(store, now, step, out)?;
        let shown = self
            .turns
            .get(&turn.id)
            .map(|open| self.shown(open))
            .or(shown);
        self.answer_shown(shown, reply, out);
        Ok(())
    }

    /// The next attempt begins. A suspended turn stays suspended.
    fn take_over(
        &mut self,
        now: Timestamp,
        step: &mut Step,
        turn: &Turn,
        sender: &Sender,
        lease_ms: Option<u64>,
    ) -> Option<crate::protocol::turn::Shown> {
        let before = turn.lead().map(|lead| lead.lease_ms);
        let lease_ms = crate::protocol::turn::lease(lease_ms.or(before));
        let lead = Lead::new(sender.connection.clone(), lease_ms);
        if let Some(open) = self.turns.get_mut(&turn.id) {
            open.heard_at = now;
            open.perhaps_at = now;
        }
        let place = self.end + 1;
        let client = Some(sender.client.as_str());
        self.change_turn(now, step, &turn.id, Event::Adopt, client, |turn| {
            turn.attempt += 1;
            turn.attempt_place = place;
            match &mut turn.state {
                State::Active(known) | State::Suspended { lead: known, .. } => *known = lead,
                State::Queued | State::Ended { .. } => {}
            }
        })
    }

    /// Takes back what earlier attempts said.
    fn supersede(
        &mut self,
        store: &Store,
        now: Timestamp,
        step: &mut Step,
        turn: &Turn,
        sender: &Sender,
    ) -> Result<(), StoreError> {
        for head in store.turn_messages(turn, ADOPTED_MESSAGES)? {
            if !turn.steers.iter().any(|(steer, _)| *steer == head.place) {
                self.supersede_message(now, step, &head, &sender.client);
            }
        }
        Ok(())
    }

    /// Leaves nothing of a message that another takes the place of; its id is free again.
    pub(super) fn supersede_message(
        &mut self,
        now: Timestamp,
        step: &mut Step,
        head: &Head,
        client: &str,
    ) {
        self.end += 1;
        let (place, version) = (head.place, self.end);
        step.write(Write::Delete {
            place,
            version,
            is_superseded: true,
            at: now,
        });
        step.change(version, Change::Supersede, place, Some(client), now);
        let frame = ServerFrame::Delete {
            serial: self.epoch.at(place),
            version: self.epoch.at(version),
            superseded: true,
        };
        step.tell_of(&head.name, frame);
        self.rollup.open.remove(&place);
        step.settles = true;
    }
}
