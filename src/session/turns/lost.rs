//! Turns without a leader: lost, abandoned, waiting for the next agent (P6.8).

use crate::ordered::sort_by_number;
use crate::protocol::data::Data;
use crate::protocol::frame::{Lists, ServerFrame};
use crate::protocol::hooks::HookEvent;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::LATE_MS;
use crate::protocol::message::Status as MessageStatus;
use crate::protocol::news::Telling;
use crate::protocol::serial::Place;
use crate::protocol::turn::{Ending, Event, State, Turn};
use crate::session::context::{Context, Memory};
use crate::session::deliveries::hooks;
use crate::session::engine::{Live, Owner, Step, after};
use crate::session::part::Part;
use crate::session::turns::change::{End, change_turn, close_messages, finish_turn, subject};
use crate::session::turns::instructions::renew_steers;
use crate::session::turns::lease::{TURNS, keep_pings, lease_until, slack};
use crate::session::turns::shown::{brief_turns, latest_frame};
use crate::session::turns::state::OpenTurn;
use crate::store::{Kept, StoreError, TurnWrite};

/// The reason of a turn that failed because its agent was not heard.
const AGENT_LOST: &str = "agent-lost";

/// The reason of a turn that failed after it was suspended or queued for too long.
const ABANDONED: &str = "abandoned";

/// When an open turn next changes by the clock alone.
pub(crate) fn turn_deadline(cx: &Context<'_>, open: &OpenTurn) -> Timestamp {
    let own = match &open.turn.state {
        State::Active(_) => lease_until(cx, open),
        State::Suspended { at, .. } => after(*at, cx.engine.settings.suspend_ms()),
        // Nobody is heard while a turn waits, so it has waited since then.
        State::Queued => after(open.heard_at, cx.engine.settings.suspend_ms()),
        State::Ended { .. } => Timestamp::MAX,
    };
    own.min(cancelled_at(cx, open))
}

/// When the grace of a cancel is over.
fn cancelled_at(cx: &Context<'_>, open: &OpenTurn) -> Timestamp {
    let cancel = open.turn.cancel.as_ref();
    cancel.map_or(Timestamp::MAX, |cancel| {
        after(cancel.at, cx.engine.settings.cancel_grace_ms())
    })
}

/// Open turns, as a part of the session.
pub(crate) struct Open;

impl Part for Open {
    const OWNER: Option<Owner> = Some(TURNS);

    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        cx.memory.turns.clear();
        load_turns(cx)
    }

    /// When a turn next changes by the clock alone.
    fn due_at(cx: &Context<'_>) -> Timestamp {
        let open = cx.memory.turns.values();
        let deadlines = open.map(|open| turn_deadline(cx, open));
        deadlines.min().unwrap_or(Timestamp::MAX)
    }

    fn ring(cx: &mut Context<'_>) -> Result<(), StoreError> {
        end_overdue(cx)
    }

    fn is_busy(memory: &Memory) -> bool {
        !memory.turns.is_empty()
    }

    fn tell(cx: &Context<'_>, telling: &mut Telling<'_>) -> Result<(), StoreError> {
        telling.about.open_turns = cx.memory.turns.len();
        Ok(())
    }

    fn attached(cx: &Context<'_>, _: &mut Live, lists: &mut Lists) {
        lists.turns = brief_turns(cx);
    }

    fn changed_since(
        cx: &Context<'_>,
        since: Place,
        limit: usize,
    ) -> Result<Vec<ServerFrame>, StoreError> {
        let mut turns = cx.engine.store.changed_turns(since, limit)?;
        // The entry of a request is the turn's as well (P8.4), and open turns are in memory.
        turns.retain(|turn| !cx.memory.turns.contains_key(&turn.id));
        let open = cx.memory.turns.values().map(|open| &open.turn);
        turns.extend(open.filter(|turn| since < turn.version).cloned());
        sort_by_number(&mut turns, |turn| turn.version);
        turns.truncate(limit);
        Ok(turns.iter().map(|turn| latest_frame(cx, turn)).collect())
    }
}

/// Handles open turns that are due.
fn end_overdue(cx: &mut Context<'_>) -> Result<(), StoreError> {
    keep_pings(cx)?;
    prolong_missed(cx)?;
    let open = cx.memory.turns.values();
    let due = open.filter(|open| turn_deadline(cx, open) <= cx.engine.now);
    let mut due: Vec<Turn> = due.map(|open| open.turn.clone()).collect();
    if due.is_empty() {
        return Ok(());
    }
    sort_by_number(&mut due, |turn| turn.place);
    cx.engine.settle()?;
    let mut step = cx.engine.step();
    for turn in due {
        let is_lost = matches!(turn.state, State::Active(_));
        if turn.cancel.is_some() {
            let end = End::of(Ending::Cancelled);
            finish_turn(cx, &mut step, &turn.id, end)?;
        } else if is_lost && turn.attempt < attempts(cx) {
            queue_again(cx, &mut step, &turn.id)?;
            hooks::tell(cx, &mut step, HookEvent::TurnLost, subject(&turn.id));
        } else {
            if is_lost {
                hooks::tell(cx, &mut step, HookEvent::TurnLost, subject(&turn.id));
            }
            let end = End::failed(&turn.state);
            finish_turn(cx, &mut step, &turn.id, end)?;
        }
    }
    cx.engine.commit(step)
}

/// Attempts at a turn before it fails: `maxAttempts` where agents are woken, else one (P6.1).
fn attempts(cx: &Context<'_>) -> u64 {
    let max_attempts = cx.engine.settings.max_attempts();
    cx.engine.agent().map_or(1, |_| max_attempts)
}

/// Prolongs leases that ran out while the session was not running to hear the leader, each once
/// until its leader is heard.
fn prolong_missed(cx: &mut Context<'_>) -> Result<(), StoreError> {
    let open = cx.memory.turns.values();
    let missed = open.filter(|open| {
        let prolonged_at = open.turn.lead().and_then(|lead| lead.prolonged_at);
        matches!(open.turn.state, State::Active(_))
            && prolonged_at.is_none_or(|at| at <= open.heard_at)
            && after(lease_until(cx, open), LATE_MS) < cx.engine.now
            && cx.engine.now < cancelled_at(cx, open)
    });
    let missed: Vec<String> = missed.map(|open| open.turn.id.clone()).collect();
    let mut step = cx.engine.step();
    for id in missed {
        let Some(open) = cx.memory.turns.get_mut(&id) else {
            continue;
        };
        if let Some(lead) = open.turn.lead_mut() {
            lead.prolonged_at = Some(cx.engine.now);
        }
        open.kept_at = open.heard_at;
        let (turn, heard_at) = (open.turn.clone(), open.heard_at);
        step.note(TurnWrite::Row(Kept { turn, heard_at }));
    }
    cx.engine.commit(step)
}

/// A turn whose agent is not there waits for the next one.
pub(crate) fn queue_again(
    cx: &mut Context<'_>,
    step: &mut Step,
    id: &str,
) -> Result<(), StoreError> {
    close_messages(cx, step, id, MessageStatus::Failed);
    renew_steers(cx, step, id)?;
    if let Some(open) = cx.memory.turns.get_mut(id) {
        open.heard_at = cx.engine.now;
    }
    change_turn(cx, step, id, Event::Queue, |turn| {
        turn.agent = None;
        turn.attempt += 1;
        turn.state = State::Queued;
    });
    Ok(())
}

/// Turns as found when the session wakes. Their leaders were last heard after the row's time, by at
/// most a third of a lease; streamed messages tell more.
fn load_turns(cx: &mut Context<'_>) -> Result<(), StoreError> {
    for Kept { mut turn, heard_at } in cx.engine.store.open_turns()? {
        as_asked(cx, &mut turn);
        let lease_ms = turn.lead().map_or(0, |lead| lead.lease_ms);
        let streams = cx.engine.rollup.streams.values();
        let of_turn = streams.filter(|open| open.turn.as_ref() == Some(&turn.id));
        let streamed_at = of_turn.map(|open| open.heard_at).max();
        let open = OpenTurn {
            heard_at: streamed_at.map_or(heard_at, |at| at.max(heard_at)),
            perhaps_at: heard_at.saturating_add(slack(lease_ms)),
            kept_at: heard_at,
            turn,
        };
        cx.memory.turns.insert(open.turn.id.clone(), open);
    }
    Ok(())
}

/// A turn as it was when its row was written, and the state that its requests since gave it: they
/// suspend it without a write of its row.
fn as_asked(cx: &Context<'_>, turn: &mut Turn) {
    let State::Active(lead) = &turn.state else {
        return;
    };
    if let Some(asked) = (cx.others.asked)(cx.memory, &turn.id) {
        turn.version = asked.place;
        turn.event = Event::Suspend;
        turn.state = State::Suspended {
            lead: lead.clone(),
            reason: Some(asked.reason.to_owned()),
            at: asked.at,
        };
    }
}

impl End<'_> {
    /// The automatic end of a turn in this state.
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
        }
    }
}
