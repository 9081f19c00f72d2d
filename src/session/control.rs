//! Control: cancel and interrupt (P6.5, P6.6).

use super::answer::Reply;
use super::connection::Sender;
use super::outbox::Outbox;
use super::read::encode;
use super::step::Step;
use super::turn::{End, asked};
use super::{Error, Session};
use crate::protocol::capability::Operation;
use crate::protocol::decode::{CancelTurns, Interrupt};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::Outcome;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::LIST_BYTES;
use crate::protocol::serial::Place;
use crate::protocol::turn::{Cancel, Ending, Event, Shown, State, Turn};
use crate::store::{Kind, Store, StoreError, Write};

impl Session {
    /// Asks for the end of turns. Their leaders are expected to stop; what does not is ended
    /// after `cancelGraceMs`.
    pub(super) fn cancel(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        frame: CancelTurns,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        sender.must(Operation::Cancel, "cancel", &self.id)?;
        self.limit_frame(now, sender, "cancel")?;
        let input = self.message_place(store, "cancel", frame.input)?;
        let meant = self.meant(store, &frame, input)?;
        if let Some(id) = &frame.id
            && self.once(store, now, sender, Kind::Cancel, id)?.is_some()
        {
            let turns = meant.iter().map(|turn| self.stored(turn)).collect();
            self.answer_turns(turns, true, reply, out);
            return Ok(());
        }
        let is_new = |turn: &Turn| turn.is_open() && turn.cancel.is_none();
        let input = match input {
            Some(place) if store.cancel_of_input(place)?.is_some() => None,
            input => input,
        };
        if input.is_some() || meant.iter().any(is_new) {
            self.settle(store, now, out)?;
        }
        let cancel = asked(sender, now, frame.reason);
        let mut step = Step::default();
        if let Some(place) = input {
            let cancel = cancel.clone();
            step.write(Write::CancelInput { place, cancel });
        }
        let mut turns = Vec::with_capacity(meant.len());
        for turn in &meant {
            let shown = self.cancel_turn(store, now, &mut step, &turn.id, &cancel)?;
            turns.push(shown.unwrap_or_else(|| self.stored(turn)));
        }
        self.keep_id(now, sender, Kind::Cancel, frame.id.as_ref(), 0, &mut step);
        self.commit(store, now, step, out)?;
        self.answer_turns(turns, false, reply, out);
        Ok(())
    }

    /// Answers with turns, or with their ids where they are too long for an ack (P13.5).
    fn answer_turns(
        &mut self,
        turns: Vec<Shown>,
        duplicate: bool,
        reply: &Reply,
        out: &mut Outbox,
    ) {
        let bytes = encode(&turns).len();
        // It costs the same, whether it is sent or not.
        out.made += bytes;
        let result = if LIST_BYTES < bytes {
            let turn_ids = turns.into_iter().map(Shown::into_id).collect();
            Outcome::TurnIds {
                turn_ids,
                duplicate,
            }
        } else {
            Outcome::Turns { turns, duplicate }
        };
        self.answer(out, reply, Ok(result));
    }

    /// The turns that a `cancel` is about.
    fn meant(
        &self,
        store: &Store,
        frame: &CancelTurns,
        input: Option<Place>,
    ) -> Result<Vec<Turn>, Error> {
        if let Some(id) = &frame.turn {
            let turn = store.turn(id)?.ok_or_else(|| missing_turn("cancel", id))?;
            return Ok(vec![turn]);
        }
        let is_meant = |turn: &Turn| frame.all || turn.input == input;
        let open = self.turns.values().map(|open| &open.turn);
        let mut meant: Vec<Turn> = open.filter(|turn| is_meant(turn)).cloned().collect();
        meant.sort_unstable_by_key(|turn| turn.place);
        Ok(meant)
    }

    /// Cancels one turn, if it is open and nobody did before. Nothing of it may be pending.
    pub(super) fn cancel_turn(
        &mut self,
        store: &Store,
        now: Timestamp,
        step: &mut Step,
        id: &str,
        cancel: &Cancel,
    ) -> Result<Option<Shown>, StoreError> {
        let Some(open) = self.turns.get(id) else {
            return Ok(None);
        };
        if open.turn.cancel.is_some() {
            return Ok(None);
        }
        let is_active = matches!(open.turn.state, State::Active(_));
        if let (State::Queued, Some(place)) = (&open.turn.state, open.turn.input)
            && store.cancel_of_input(place)?.is_none()
        {
            // Whoever was about to take it would otherwise begin another one.
            let cancel = cancel.clone();
            step.write(Write::CancelInput { place, cancel });
        }
        let client = Some(cancel.by.as_str());
        let shown = self.change_turn(now, step, id, Event::Cancel, client, |turn| {
            turn.cancel = Some(cancel.clone());
        });
        if is_active {
            return Ok(shown);
        }
        // Nobody works on it, so nobody needs time to stop.
        let end = End::of(Ending::Cancelled, client);
        self.finish_turn(store, now, step, id, end)
    }

    /// Cancels what a `publish` interrupts, in the same step (P6.6).
    pub(super) fn interrupt(
        &mut self,
        store: &Store,
        now: Timestamp,
        step: &mut Step,
        sender: &Sender,
        interrupt: &Interrupt,
    ) -> Result<(), Error> {
        let ids = match interrupt {
            Interrupt::None => Vec::new(),
            Interrupt::Turn(id) => vec![id.clone()],
            Interrupt::All => self.active_turns(|_| true),
        };
        let cancel = asked(sender, now, None);
        for id in ids {
            self.cancel_turn(store, now, step, &id, &cancel)?;
        }
        Ok(())
    }

    /// Whether a `publish` may interrupt what it names.
    pub(super) fn check_interrupt(
        &self,
        store: &Store,
        sender: &Sender,
        interrupt: &Interrupt,
    ) -> Result<(), Error> {
        if *interrupt == Interrupt::None {
            return Ok(());
        }
        sender.must(Operation::Cancel, "interrupt", &self.id)?;
        if let Interrupt::Turn(id) = interrupt
            && !self.turns.contains_key(id)
            && store.turn(id)?.is_none()
        {
            return Err(missing_turn("interrupt", id).into());
        }
        Ok(())
    }

    /// Whether a turn is still open once it was interrupted: one that is suspended ends at once,
    /// and takes no message that comes with the interrupt.
    pub(super) fn check_outlives(&self, interrupt: &Interrupt, id: &str) -> Result<(), ErrorInfo> {
        let open = self.turns.get(id);
        let is_suspended = open.is_some_and(|open| !matches!(open.turn.state, State::Active(_)));
        match interrupt {
            Interrupt::Turn(named) if named == id && is_suspended => {
                let message = format!("unable to publish; turn {id} ends with the interrupt");
                Err(ErrorInfo::new(ErrorCode::TurnClosed, message))
            }
            _ => Ok(()),
        }
    }

    /// The active turns, in the order in which they began.
    pub(super) fn active_turns(&self, is_meant: impl Fn(&Turn) -> bool) -> Vec<String> {
        let open = self.turns.values().map(|open| &open.turn);
        let active = open.filter(|turn| matches!(turn.state, State::Active(_)));
        let mut active: Vec<&Turn> = active.filter(|turn| is_meant(turn)).collect();
        active.sort_unstable_by_key(|turn| turn.place);
        active.into_iter().map(|turn| turn.id.clone()).collect()
    }
}

pub(super) fn missing_turn(verb: &str, id: &str) -> ErrorInfo {
    let message = format!("unable to {verb}; there is no turn {id}");
    ErrorInfo::new(ErrorCode::NotFound, message)
}
