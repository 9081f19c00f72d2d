//! Turns: the life cycle of one agent answer (P6.1–P6.4).
//!
//! [`State`] is the life cycle. Every change of a turn goes through [`Session::change_turn`],
//! every end through [`Session::finish_turn`].

use std::collections::BTreeMap;

use super::answer::Reply;
use super::closing::Closing;
use super::connection::Sender;
use super::outbox::Outbox;
use super::step::Step;
use super::{Error, Session};
use crate::protocol::capability::Operation;
use crate::protocol::data::Data;
use crate::protocol::decode::StartTurn;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, ServerFrame, TurnFrame};
use crate::protocol::ids::Timestamp;
use crate::protocol::message::Status as MessageStatus;
use crate::protocol::serial::{Place, Serial};
use crate::protocol::turn::{Cancel, Ending, Event, Lead, Shown, State, Turn, lease};
use crate::store::{Kept, Store, StoreError, Write};

/// How the names begin that the session gives, by the serial of their turn.
const NAME: &str = "turn-";

/// A turn that is not final, in memory.
#[derive(Debug)]
pub(super) struct OpenTurn {
    pub(super) turn: Turn,
    /// When its leader was last heard, for certain.
    pub(super) heard_at: Timestamp,
    /// When it may have been heard since, as far as anybody knows who has just woken up.
    pub(super) perhaps_at: Timestamp,
    /// What its row knows of that.
    pub(super) kept_at: Timestamp,
}

/// The turns that are not final, by id.
pub(super) type Turns = BTreeMap<String, OpenTurn>;

/// How a turn ends, and why.
pub(super) struct End<'a> {
    pub(super) ending: Ending,
    pub(super) reason: Option<&'a str>,
    pub(super) error: Option<Data>,
    /// Who ends it; `None` for the session itself.
    pub(super) client: Option<&'a str>,
}

impl Session {
    /// Begins a turn, or takes the one that waits for an agent (P6.2).
    pub(super) fn start_turn(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        start: StartTurn,
        reply: &Reply,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        const VERB: &str = "start the turn";
        sender.must(Operation::Turn, VERB, &self.id)?;
        self.limit_frame(now, sender, VERB)?;
        let input = self.message_place(store, VERB, start.input)?;
        let parent = self.message_place(store, VERB, start.parent)?;
        if let Some(known) = self.known_turn(store, sender, &start, input)? {
            if known.state != State::Queued {
                self.answer_turn(&known, true, reply, out);
                return Ok(());
            }
            self.settle(store, now, out)?;
            let mut step = Step::default();
            let (lease_ms, metadata) = (start.lease_ms, start.metadata);
            let shown = self.take_turn(now, &mut step, &known.id, sender, lease_ms, |turn| {
                turn.parent = parent.or(turn.parent);
                turn.metadata = metadata.or_else(|| turn.metadata.take());
            });
            self.commit(store, now, step, out)?;
            self.answer_shown(shown, reply, out);
            return Ok(());
        }
        check_name(start.id.as_deref())?;
        self.check_room(store, VERB)?;
        self.check_open_turns(VERB, 1)?;
        self.settle(store, now, out)?;
        let cancel = match input.filter(|_| !start.again) {
            Some(input) => store.cancel_of_input(input)?,
            None => None,
        };
        let mut step = Step::default();
        let lead = Lead::new(sender.connection.clone(), lease(start.lease_ms));
        let is_cancelled = cancel.is_some();
        let turn = Turn {
            agent: Some(sender.client.clone()),
            parent,
            started_at: Some(now),
            metadata: start.metadata,
            cancel,
            state: State::Active(lead),
            ..self.new_turn(now, start.id, input)
        };
        let id = turn.id.clone();
        self.hold_turn(turn, now);
        let shown = if is_cancelled {
            // P6.5: nobody wants an answer any more, so it is born cancelled.
            let end = End::of(Ending::Cancelled, Some(&sender.client));
            self.finish_turn(store, now, &mut step, &id, end)?
        } else {
            let client = Some(sender.client.as_str());
            self.change_turn(now, &mut step, &id, Event::Start, client, |_| {})
        };
        self.commit(store, now, step, out)?;
        self.answer_shown(shown, reply, out);
        Ok(())
    }

    /// The turn that a `turn.start` stands for already (P6.2).
    fn known_turn(
        &self,
        store: &Store,
        sender: &Sender,
        start: &StartTurn,
        input: Option<Place>,
    ) -> Result<Option<Turn>, Error> {
        let is_own = |turn: &Turn| turn.agent.as_ref() == Some(&sender.client);
        if let Some(id) = &start.id
            && let Some(turn) = store.turn(id)?
        {
            if is_own(&turn) || turn.state == State::Queued {
                return Ok(Some(turn));
            }
            let message = format!("unable to start the turn; {id} is another client's turn");
            return Err(ErrorInfo::new(ErrorCode::Conflict, message).into());
        }
        let Some(input) = input.filter(|_| !start.again) else {
            return Ok(None);
        };
        let answering = store.answering(input)?;
        let queued = answering.iter().find(|turn| turn.state == State::Queued);
        let known = queued.or_else(|| answering.iter().find(|turn| is_own(turn)));
        Ok(known.cloned())
    }

    /// A turn that begins with the next entry; without a leader.
    pub(super) fn new_turn(
        &self,
        now: Timestamp,
        id: Option<String>,
        input: Option<Place>,
    ) -> Turn {
        let place = self.end + 1;
        Turn {
            place,
            version: place,
            event: Event::Queue,
            id: id.unwrap_or_else(|| format!("{NAME}{}", self.epoch.at(place))),
            agent: None,
            input,
            parent: None,
            attempt: 1,
            attempt_place: place,
            steers: Vec::new(),
            created_at: now,
            started_at: None,
            cancel: None,
            metadata: None,
            state: State::Queued,
        }
    }

    /// Follows a turn from now on.
    pub(super) fn hold_turn(&mut self, turn: Turn, now: Timestamp) {
        let open = OpenTurn {
            turn,
            heard_at: now,
            perhaps_at: now,
            kept_at: now,
        };
        self.turns.insert(open.turn.id.clone(), open);
    }

    pub(super) fn check_open_turns(&self, verb: &str, more: usize) -> Result<(), ErrorInfo> {
        let limit = usize::try_from(self.limits.open_turns).unwrap_or(usize::MAX);
        if self.turns.len() + more <= limit {
            return Ok(());
        }
        let message = format!("unable to {verb}; {limit} turns are open already");
        Err(ErrorInfo::new(ErrorCode::OverLimit, message))
    }

    /// Gives a turn that is queued to whoever asks for it.
    pub(super) fn take_turn(
        &mut self,
        now: Timestamp,
        step: &mut Step,
        id: &str,
        sender: &Sender,
        lease_ms: Option<u64>,
        change: impl FnOnce(&mut Turn),
    ) -> Option<Shown> {
        let client = Some(sender.client.as_str());
        let lead = Lead::new(sender.connection.clone(), lease(lease_ms));
        if let Some(open) = self.turns.get_mut(id) {
            open.heard_at = now;
            open.perhaps_at = now;
        }
        let place = self.end + 1;
        self.change_turn(now, step, id, Event::Start, client, |turn| {
            turn.agent = Some(sender.client.clone());
            turn.attempt_place = place;
            turn.started_at.get_or_insert(now);
            turn.state = State::Active(lead);
            change(turn);
        })
    }

    /// Gives a change of a turn its place, stores it and tells it.
    pub(super) fn change_turn(
        &mut self,
        now: Timestamp,
        step: &mut Step,
        id: &str,
        event: Event,
        client: Option<&str>,
        change: impl FnOnce(&mut Turn),
    ) -> Option<Shown> {
        self.end += 1;
        let version = self.end;
        let open = self.turns.get_mut(id)?;
        change(&mut open.turn);
        open.turn.version = version;
        open.turn.event = event;
        open.kept_at = open.heard_at;
        let kept = Kept {
            turn: open.turn.clone(),
            heard_at: open.heard_at,
        };
        let shown = self.turns.get(id).map(|open| self.shown(open))?;
        step.write(Write::Turn {
            kept,
            client: client.map(str::to_owned),
            at: now,
        });
        step.tell(self.turn_frame(event, version, shown.clone()));
        let ended = self.turns.get(id).is_some_and(|open| !open.turn.is_open());
        if ended {
            self.turns.remove(id);
            step.settles = true;
        }
        self.expect_turns();
        Some(shown)
    }

    /// Ends a turn: what still streams in it is closed, instructions that nobody took are
    /// missed, and only then it is over. Nothing of it may be pending (P6.3).
    pub(super) fn finish_turn(
        &mut self,
        store: &Store,
        now: Timestamp,
        step: &mut Step,
        id: &str,
        end: End<'_>,
    ) -> Result<Option<Shown>, StoreError> {
        let Some(open) = self.turns.get(id) else {
            return Ok(None);
        };
        let is_cancelled = open.turn.cancel.is_some();
        let missed: Vec<Place> = waiting(&open.turn);
        let ending = if is_cancelled {
            Ending::Cancelled
        } else {
            end.ending
        };
        let status = match ending {
            Ending::Complete => MessageStatus::Complete,
            Ending::Cancelled => MessageStatus::Cancelled,
            Ending::Failed => MessageStatus::Failed,
        };
        self.close_messages(now, step, id, status, end.client);
        for place in missed {
            self.mark_steer(store, now, step, place, "missed", 0)?;
        }
        let (reason, error) = (end.reason.map(str::to_owned), end.error);
        let shown = self.change_turn(now, step, id, Event::End, end.client, |turn| {
            turn.state = State::Ended {
                ending,
                reason: reason.filter(|_| !is_cancelled),
                error,
                at: now,
            };
        });
        Ok(shown)
    }

    /// Closes what still streams in a turn.
    pub(super) fn close_messages(
        &mut self,
        now: Timestamp,
        step: &mut Step,
        id: &str,
        status: MessageStatus,
        client: Option<&str>,
    ) {
        let of_turn = |open: &super::rollup::Open| open.turn.as_deref() == Some(id);
        let open = self.rollup.open.iter();
        let places: Vec<Place> = open
            .filter(|(_, open)| of_turn(open))
            .map(|(place, _)| *place)
            .collect();
        for place in places {
            let Some(open) = self.rollup.open.remove(&place) else {
                continue;
            };
            self.end += 1;
            let version = self.end;
            let closing = Closing {
                status,
                headers: None,
                client: client.map(str::to_owned),
            };
            for write in closing.writes(place, version, open.seq, now) {
                step.write(write);
            }
            let frame = ServerFrame::Append {
                serial: self.epoch.at(place),
                version: self.epoch.at(version),
                offset: open.units,
                data: String::new(),
                status: Some(status),
                headers: None,
            };
            step.tell_of(&open.name, frame);
            step.settles = true;
        }
    }

    /// The place of a message that a frame names, which must exist.
    pub(super) fn message_place(
        &self,
        store: &Store,
        verb: &str,
        serial: Option<Serial>,
    ) -> Result<Option<Place>, Error> {
        let Some(serial) = serial else {
            return Ok(None);
        };
        let place = self.place(verb, serial)?;
        self.existing(store, verb, place)?;
        Ok(Some(place))
    }

    /// Answers with a turn as it is stored.
    pub(super) fn answer_turn(
        &mut self,
        turn: &Turn,
        duplicate: bool,
        reply: &Reply,
        out: &mut Outbox,
    ) {
        let turn = Box::new(self.stored(turn));
        self.answer(out, reply, Ok(Outcome::Turn { turn, duplicate }));
    }

    /// Answers with a turn that changed.
    pub(super) fn answer_shown(&mut self, turn: Option<Shown>, reply: &Reply, out: &mut Outbox) {
        if let Some(turn) = turn.map(Box::new) {
            let duplicate = false;
            self.answer(out, reply, Ok(Outcome::Turn { turn, duplicate }));
        }
    }

    /// A turn as everybody sees it.
    pub(super) fn shown(&self, open: &OpenTurn) -> Shown {
        let until = match &open.turn.state {
            State::Active(_) => Some(self.lease_until(open)),
            _ => None,
        };
        open.turn.shown(self.epoch, until)
    }

    /// The same for one that may be final.
    pub(super) fn stored(&self, turn: &Turn) -> Shown {
        match self.turns.get(&turn.id) {
            Some(open) => self.shown(open),
            None => turn.shown(self.epoch, None),
        }
    }

    pub(super) fn turn_frame(&self, event: Event, place: Place, turn: Shown) -> ServerFrame {
        ServerFrame::Turn(TurnFrame {
            r#type: event,
            serial: self.epoch.at(place),
            turn,
            message: None,
            data: None,
        })
    }
}

/// Names that the session gives are nobody's to choose: another turn is to have it.
fn check_name(id: Option<&str>) -> Result<(), ErrorInfo> {
    let Some(id) = id else { return Ok(()) };
    if id.strip_prefix(NAME).and_then(Serial::parse).is_none() {
        return Ok(());
    }
    let message = format!("unable to start the turn; {id} is a name that the session gives");
    Err(ErrorInfo::new(ErrorCode::InvalidFrame, message))
}

/// The instructions that nobody has taken.
pub(super) fn waiting(turn: &Turn) -> Vec<Place> {
    let waiting = turn.steers.iter().filter(|(_, is_taken)| !is_taken);
    waiting.map(|(place, _)| *place).collect()
}

impl<'a> End<'a> {
    /// An end that needs no reason.
    pub(super) fn of(ending: Ending, client: Option<&'a str>) -> Self {
        Self {
            ending,
            reason: None,
            error: None,
            client,
        }
    }
}

/// Who asked for the end of a turn.
pub(super) fn asked(sender: &Sender, now: Timestamp, reason: Option<String>) -> Cancel {
    Cancel {
        by: sender.client.clone(),
        at: now,
        reason,
    }
}
