//! Health: who leads a turn, how long that is believed without a word, and what becomes of
//! the turn then (P6.8).

use super::connection::Sender;
use super::expiry::after;
use super::outbox::Outbox;
use super::step::Step;
use super::turn::{End, OpenTurn};
use super::{Error, Session};
use crate::protocol::capability::Operation;
use crate::protocol::data::Data;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::LATE_MS;
use crate::protocol::message::Status as MessageStatus;
use crate::protocol::turn::{Ending, Event, Lead, State, Turn};
use crate::store::{Kept, Store, StoreError, Write};

/// Why a turn failed whose agent was not heard.
const AGENT_LOST: &str = "agent-lost";
/// Why a turn failed that was suspended, or queued, for too long.
const ABANDONED: &str = "abandoned";

impl Session {
    /// Lets pass only who leads a turn: its client, with the current attempt or on the
    /// connection that took it.
    pub(super) fn lead(
        &self,
        store: &Store,
        verb: &str,
        sender: &Sender,
        id: &str,
        attempt: Option<u64>,
    ) -> Result<(), Error> {
        let Some(open) = self.turns.get(id) else {
            let turn = store.turn(id)?;
            let turn = turn.ok_or_else(|| super::control::missing_turn(verb, id))?;
            return Err(closed_turn(verb, &turn).into());
        };
        if is_led(&open.turn, sender, attempt) {
            return Ok(());
        }
        Err(not_leader(verb, &open.turn, sender, attempt).into())
    }

    /// Whether a frame that changes a message may: of an open turn only its leader's, or that
    /// of somebody else who may edit; of a final one only who may edit (P4.3, P6.8). Says
    /// whether the frame drives the turn.
    pub(super) fn fence(
        &self,
        store: &Store,
        verb: &str,
        sender: &Sender,
        turn: Option<&str>,
        attempt: Option<u64>,
    ) -> Result<bool, Error> {
        let Some(id) = turn else { return Ok(false) };
        let may_edit = sender.operations.contains(Operation::Edit);
        let Some(open) = self.turns.get(id) else {
            if may_edit {
                return Ok(false);
            }
            self.lead(store, verb, sender, id, attempt)?;
            return Ok(false);
        };
        if may_edit && open.turn.agent.as_deref() != Some(&sender.client) {
            return Ok(false);
        }
        self.lead(store, verb, sender, id, attempt)?;
        Ok(true)
    }

    /// The leader has done something on a turn: its lease begins anew. That is kept in the
    /// row only where it would otherwise be off by more than a third of the lease.
    pub(super) fn drove(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        id: &str,
    ) -> Result<(), StoreError> {
        if self.followed(store, now, sender, id)? {
            return Ok(());
        }
        let Some(open) = self.turns.get_mut(id) else {
            return Ok(());
        };
        let (place, lease_ms) = (open.turn.place, open.turn.lead().map(|lead| lead.lease_ms));
        if slack(lease_ms.unwrap_or(0)) < now.saturating_sub(open.kept_at) {
            open.kept_at = now;
            store.write(&[Write::Heard { place, at: now }])?;
        }
        Ok(())
    }

    /// The same on the hot path: what is appended is a sign of life that is stored anyway. Whoever
    /// carries the current attempt over another socket leads from there once the connection that
    /// took the turn is gone: its pings are signs of life as well. Says whether that was so.
    pub(super) fn followed(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        id: &str,
    ) -> Result<bool, StoreError> {
        self.heard_turn(now, id);
        let Some(open) = self.turns.get_mut(id) else {
            return Ok(false);
        };
        let lead = lead_mut(&mut open.turn);
        let Some(lead) = lead.filter(|lead| lead.connection != sender.connection) else {
            return Ok(false);
        };
        let known = lead.connection.as_ref();
        let is_gone = known.is_some_and(|id| !self.connections.contains_key(id));
        let live = sender
            .connection
            .as_ref()
            .and_then(|id| self.connections.get(id));
        let Some(live) = live.filter(|live| is_gone && live.connection.is_reader()) else {
            return Ok(false);
        };
        lead.connection = Some(live.connection.id.clone());
        open.kept_at = open.heard_at;
        let (turn, heard_at) = (open.turn.clone(), open.heard_at);
        store.write(&[Write::TurnRow(Kept { turn, heard_at })])?;
        self.listen();
        Ok(true)
    }

    /// Its leader was heard.
    pub(super) fn heard_turn(&mut self, now: Timestamp, id: &str) {
        if let Some(open) = self.turns.get_mut(id) {
            open.heard_at = open.heard_at.max(now);
        }
    }

    /// Pings on a connection that leads are signs of life that nobody stored. They count as
    /// such though it goes.
    pub(super) fn hear_pings(&mut self) {
        for open in self.turns.values_mut() {
            let id = open.turn.lead().and_then(|lead| lead.connection.as_ref());
            if let Some(live) = id.and_then(|id| self.connections.get(id)) {
                open.heard_at = open.heard_at.max(live.pinged_at);
            }
        }
    }

    /// The same, and what is known of them is kept, so that a crash, which takes all that the
    /// platform knew, finds a leader heard that only pinged: at most one row for each alarm.
    pub(super) fn keep_pings(&mut self, store: &Store) -> Result<(), StoreError> {
        self.hear_pings();
        let mut writes = Vec::new();
        for open in self.turns.values_mut() {
            let State::Active(lead) = &open.turn.state else {
                continue;
            };
            if slack(lead.lease_ms) < open.heard_at.saturating_sub(open.kept_at) {
                open.kept_at = open.heard_at;
                let (place, at) = (open.turn.place, open.heard_at);
                writes.push(Write::Heard { place, at });
            }
        }
        if writes.is_empty() {
            return Ok(());
        }
        store.write(&writes)
    }

    /// When the lease of an active turn ends, as far as is known.
    pub(super) fn lease_until(&self, open: &OpenTurn) -> Timestamp {
        let Some(lead) = open.turn.lead() else {
            return Timestamp::MAX;
        };
        let live = lead
            .connection
            .as_ref()
            .and_then(|id| self.connections.get(id));
        let pinged_at = live.map_or(Timestamp::MIN, |live| live.pinged_at);
        let heard_at = open.heard_at.max(open.perhaps_at).max(pinged_at);
        let begun_at = heard_at.max(lead.prolonged_at.unwrap_or(heard_at));
        after(begun_at, lead.lease_ms)
    }

    /// A session that was not there cannot say that nobody spoke: a lease that ran out before it
    /// came begins anew, once until the leader is heard.
    fn prolong(&mut self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let late = self.turns.values().filter(|open| {
            let is_active = matches!(open.turn.state, State::Active(_));
            let lead = open.turn.lead().and_then(|lead| lead.prolonged_at);
            is_active
                && lead.is_none_or(|at| at <= open.heard_at)
                && after(self.lease_until(open), LATE_MS) < now
                && now < self.cancelled_at(open)
        });
        let late: Vec<String> = late.map(|open| open.turn.id.clone()).collect();
        let mut writes = Vec::with_capacity(late.len());
        for id in late {
            let Some(open) = self.turns.get_mut(&id) else {
                continue;
            };
            if let Some(lead) = lead_mut(&mut open.turn) {
                lead.prolonged_at = Some(now);
            }
            open.kept_at = open.heard_at;
            let (turn, heard_at) = (open.turn.clone(), open.heard_at);
            writes.push(Write::TurnRow(Kept { turn, heard_at }));
        }
        if writes.is_empty() {
            return Ok(());
        }
        store.write(&writes)
    }

    /// When the leader of a turn has had its time to stop.
    fn cancelled_at(&self, open: &OpenTurn) -> Timestamp {
        let cancel = open.turn.cancel.as_ref();
        cancel.map_or(Timestamp::MAX, |cancel| {
            after(cancel.at, self.settings.cancel_grace_ms())
        })
    }

    /// When something becomes of an open turn without anybody's doing.
    fn turn_deadline(&self, open: &OpenTurn) -> Timestamp {
        let own = match &open.turn.state {
            State::Active(_) => self.lease_until(open),
            State::Suspended { at, .. } => after(*at, self.settings.suspend_ms()),
            // Nobody leads it, so nobody is heard: it has waited since then.
            State::Queued => after(open.heard_at, self.settings.suspend_ms()),
            State::Ended { .. } => Timestamp::MAX,
        };
        own.min(self.cancelled_at(open))
    }

    /// The next of these times among all turns.
    pub(super) fn next_turn_deadline(&self) -> Timestamp {
        let deadlines = self.turns.values().map(|open| self.turn_deadline(open));
        deadlines.min().unwrap_or(Timestamp::MAX)
    }

    /// Lets happen what is due of open turns.
    pub(super) fn pass_turns(
        &mut self,
        store: &Store,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        self.keep_pings(store)?;
        self.prolong(store, now)?;
        let open = self.turns.values();
        let due = open.filter(|open| self.turn_deadline(open) <= now);
        let mut due: Vec<Turn> = due.map(|open| open.turn.clone()).collect();
        if due.is_empty() {
            return Ok(());
        }
        due.sort_unstable_by_key(|turn| turn.place);
        self.settle(store, now, out)?;
        let mut step = Step::default();
        for turn in due {
            let is_lost = matches!(turn.state, State::Active(_));
            if turn.cancel.is_some() {
                let end = End::of(Ending::Cancelled, None);
                self.finish_turn(store, now, &mut step, &turn.id, end)?;
            } else if is_lost && turn.attempt < self.settings.attempts() {
                self.queue_lost(store, now, &mut step, &turn.id)?;
            } else {
                let end = End::failed(&turn.state);
                self.finish_turn(store, now, &mut step, &turn.id, end)?;
            }
        }
        self.commit(store, now, step, out)
    }

    /// A turn whose agent was lost waits for the next one.
    fn queue_lost(
        &mut self,
        store: &Store,
        now: Timestamp,
        step: &mut Step,
        id: &str,
    ) -> Result<(), StoreError> {
        self.close_messages(now, step, id, MessageStatus::Failed, None);
        self.renew_steers(store, now, step, id)?;
        if let Some(open) = self.turns.get_mut(id) {
            open.heard_at = now;
        }
        self.change_turn(now, step, id, Event::Queue, None, |turn| {
            turn.agent = None;
            turn.attempt += 1;
            turn.state = State::Queued;
        });
        Ok(())
    }

    /// Turns as they are found when the session wakes. Their leaders were heard at some time
    /// after their rows say so, at most a third of a lease; what they streamed tells more.
    pub(super) fn load_turns(&mut self, store: &Store) -> Result<(), StoreError> {
        for Kept { turn, heard_at } in store.open_turns()? {
            let lease_ms = turn.lead().map_or(0, |lead| lead.lease_ms);
            let streams = self.rollup.open.values();
            let of_turn = streams.filter(|open| open.turn.as_ref() == Some(&turn.id));
            let streamed_at = of_turn.map(|open| open.heard_at).max();
            let open = OpenTurn {
                heard_at: streamed_at.map_or(heard_at, |at| at.max(heard_at)),
                perhaps_at: heard_at.saturating_add(slack(lease_ms)),
                kept_at: heard_at,
                turn,
            };
            self.turns.insert(open.turn.id.clone(), open);
        }
        Ok(())
    }

    /// Turns changed: their deadlines and whose silence matters may be nearer.
    pub(super) fn expect_turns(&mut self) {
        self.expect(self.next_turn_deadline());
        self.listen();
    }
}

/// A third of a lease: how far its row may be behind.
fn slack(lease_ms: u64) -> Timestamp {
    Timestamp::try_from(lease_ms / 3).unwrap_or(0)
}

fn is_led(turn: &Turn, sender: &Sender, attempt: Option<u64>) -> bool {
    let Some(lead) = turn.lead() else {
        return false;
    };
    let is_here = || sender.connection.is_some() && sender.connection == lead.connection;
    turn.agent.as_deref() == Some(&sender.client)
        && attempt.map_or_else(is_here, |attempt| attempt == turn.attempt)
}

fn lead_mut(turn: &mut Turn) -> Option<&mut Lead> {
    match &mut turn.state {
        State::Active(lead) | State::Suspended { lead, .. } => Some(lead),
        State::Queued | State::Ended { .. } => None,
    }
}

/// What somebody is told who does not lead a turn.
fn not_leader(verb: &str, turn: &Turn, sender: &Sender, attempt: Option<u64>) -> ErrorInfo {
    let id = &turn.id;
    let reason = match (&turn.agent, attempt) {
        (None, _) => format!("turn {id} is queued, take it with turn.start or turn.adopt"),
        (Some(agent), _) if *agent != sender.client => format!("turn {id} is {agent}'s"),
        (Some(_), Some(attempt)) => {
            format!("turn {id} is at attempt {}, not {attempt}", turn.attempt)
        }
        (Some(_), None) => format!(
            "turn {id} was not taken over this connection, send its current attempt with the frame"
        ),
    };
    ErrorInfo::new(ErrorCode::NotLeader, format!("unable to {verb}; {reason}"))
}

/// What somebody is told who comes too late.
pub(super) fn closed_turn(verb: &str, turn: &Turn) -> ErrorInfo {
    let status = serde_json::json!(turn.status());
    let status = status.as_str().unwrap_or_default();
    let message = format!("unable to {verb}; turn {} is {status}", turn.id);
    ErrorInfo::new(ErrorCode::TurnClosed, message)
}

impl End<'_> {
    /// The end that nobody asked for, of a turn in this state.
    fn failed(state: &State) -> Self {
        let (reason, message) = match state {
            State::Active(_) => (AGENT_LOST, "the agent was not heard within its lease"),
            State::Queued => (ABANDONED, "no agent took the turn"),
            State::Suspended { .. } | State::Ended { .. } => {
                (ABANDONED, "the turn was suspended for too long")
            }
        };
        let error = serde_json::json!({ "code": reason, "message": message });
        Self {
            ending: Ending::Failed,
            reason: Some(reason),
            error: Data::from_json(error.to_string()),
            client: None,
        }
    }
}
