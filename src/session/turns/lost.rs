//! What becomes of a turn that nobody leads any more (P6.8).

use crate::protocol::data::Data;
use crate::protocol::frame::{Attached, ServerFrame};
use crate::protocol::ids::Timestamp;
use crate::protocol::message::Status as MessageStatus;
use crate::protocol::serial::Place;
use crate::protocol::turn::{Ending, Event, State, Turn};
use crate::session::context::{Context, Memory};
use crate::session::engine::{Live, Owner, Step, after};
use crate::session::part::Part;
use crate::session::turns::change::{End, change_turn, close_messages, finish_turn};
use crate::session::turns::lease::{TURNS, keep_pings, lease_until, slack};
use crate::session::turns::shown::{brief_turns, latest_frame};
use crate::session::turns::state::OpenTurn;
use crate::session::turns::steer::renew_steers;
use crate::store::{Kept, StoreError};

/// Why a turn failed whose agent was not heard.
const AGENT_LOST: &str = "agent-lost";

/// Why a turn failed that was suspended for too long.
const ABANDONED: &str = "abandoned";

/// When something becomes of an open turn without anybody's doing.
fn turn_deadline(cx: &Context<'_>, open: &OpenTurn) -> Timestamp {
    let cancel = open.turn.cancel.as_ref();
    let cancelled = cancel.map_or(Timestamp::MAX, |cancel| {
        after(cancel.at, cx.engine.settings.cancel_grace_ms())
    });
    let own = match &open.turn.state {
        State::Active(_) => lease_until(cx, open),
        State::Suspended { at, .. } => after(*at, cx.engine.settings.suspend_ms()),
        State::Queued | State::Ended { .. } => Timestamp::MAX,
    };
    own.min(cancelled)
}

/// Open turns, as a part of the session.
pub(crate) struct Open;

impl Part for Open {
    const OWNER: Option<Owner> = Some(TURNS);

    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        cx.memory.turns.clear();
        load_turns(cx)
    }

    /// When something becomes of a turn without anybody's doing.
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

    fn attached(cx: &Context<'_>, _: &mut Live, frame: &mut Attached) {
        frame.turns = brief_turns(cx);
    }

    fn changed_since(
        cx: &Context<'_>,
        since: Place,
        limit: usize,
    ) -> Result<Vec<ServerFrame>, StoreError> {
        let turns = cx.engine.store.changed_turns(since, limit)?;
        Ok(turns.iter().map(|turn| latest_frame(cx, turn)).collect())
    }
}

/// Lets happen what is due of open turns.
fn end_overdue(cx: &mut Context<'_>) -> Result<(), StoreError> {
    keep_pings(cx)?;
    let open = cx.memory.turns.values();
    let due = open.filter(|open| turn_deadline(cx, open) <= cx.engine.now);
    let mut due: Vec<Turn> = due.map(|open| open.turn.clone()).collect();
    if due.is_empty() {
        return Ok(());
    }
    due.sort_unstable_by_key(|turn| turn.place);
    cx.engine.settle()?;
    let mut step = cx.engine.step();
    for turn in due {
        let is_lost = matches!(turn.state, State::Active(_));
        if turn.cancel.is_some() {
            let end = End::of(Ending::Cancelled);
            finish_turn(cx, &mut step, &turn.id, end)?;
        } else if is_lost && turn.attempt < cx.engine.settings.attempts() {
            queue_lost(cx, &mut step, &turn.id)?;
        } else {
            let end = End::failed(if is_lost { AGENT_LOST } else { ABANDONED });
            finish_turn(cx, &mut step, &turn.id, end)?;
        }
    }
    cx.engine.commit(step)
}

/// A turn whose agent was lost waits for the next one.
fn queue_lost(cx: &mut Context<'_>, step: &mut Step, id: &str) -> Result<(), StoreError> {
    close_messages(cx, step, id, MessageStatus::Failed);
    renew_steers(cx, step, id)?;
    change_turn(cx, step, id, Event::Queue, |turn| {
        turn.agent = None;
        turn.attempt += 1;
        turn.state = State::Queued;
    });
    Ok(())
}

/// Turns as they are found when the session wakes. Their leaders were heard at some time
/// after their rows say so, at most a third of a lease; what they streamed tells more.
fn load_turns(cx: &mut Context<'_>) -> Result<(), StoreError> {
    for Kept { turn, heard_at } in cx.engine.store.open_turns()? {
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

impl End<'_> {
    /// An end that nobody asked for.
    fn failed(reason: &'static str) -> Self {
        let message = match reason {
            AGENT_LOST => "the agent was not heard within its lease",
            _ => "the turn was suspended for too long",
        };
        let error = serde_json::json!({ "code": reason, "message": message });
        Self {
            ending: Ending::Failed,
            reason: Some(reason),
            error: Data::from_json(error.to_string()),
        }
    }
}
