//! Turns that wait for their requests (P8.4). A request suspends its turn in its own step; once the
//! last one is settled, the turn continues. The requests are their features', which report by
//! `Part::asked` that a turn has some.

use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::Timestamp;
use crate::protocol::news::Asking;
use crate::protocol::serial::Place;
use crate::protocol::turn::{Event, State};
use crate::session::context::Context;
use crate::session::engine::Step;
use crate::session::turns::change::{Stored, change_turn_beside};
use crate::session::turns::lost::{queue_again, turn_deadline};
use crate::store::{Kept, StoreError, TurnWrite};

/// The client whose message a turn answers.
pub(crate) fn asker(cx: &Context<'_>, turn: Option<&str>) -> Result<Option<String>, StoreError> {
    let open = turn.and_then(|turn| cx.memory.turns.get(turn));
    let Some(input) = open.and_then(|open| open.turn.input) else {
        return Ok(None);
    };
    let head = cx.engine.store.head(input)?;
    Ok(head.map(|head| head.client))
}

/// Suspends a turn in the step of its request; a suspended turn stays so.
pub(crate) fn suspend_for(cx: &mut Context<'_>, step: &mut Step, id: &str, reason: &str) {
    let open = cx.memory.turns.get(id);
    let Some(State::Active(lead)) = open.map(|open| open.turn.state.clone()) else {
        return;
    };
    let (at, reason) = (cx.engine.now, Some(reason.to_owned()));
    let state = State::Suspended { lead, reason, at };
    change_turn_beside(cx, step, id, Event::Suspend, state, Stored::Nothing);
}

/// Stores a suspended turn where a waking session would take another request for the one that
/// suspended it.
fn keep_suspended(cx: &mut Context<'_>, step: &mut Step, id: &str, oldest: Place) {
    if let Some(open) = cx.memory.turns.get_mut(id)
        && open.turn.version != oldest
    {
        open.kept_at = open.heard_at;
        step.write(TurnWrite::Row(Kept {
            turn: open.turn.clone(),
            heard_at: open.heard_at,
        }));
    }
}

/// A request of a turn is settled, and no longer in its feature's memory. If it was the last, the
/// turn is active again, or waits for the next process if its leader is gone. Nothing of the turn
/// may be pending.
pub(crate) fn go_on(cx: &mut Context<'_>, step: &mut Step, id: &str) -> Result<(), StoreError> {
    if let Some(oldest) = (cx.others.asked)(cx.memory, id) {
        keep_suspended(cx, step, id, oldest.place);
        return Ok(());
    }
    let Some(open) = cx.memory.turns.get_mut(id) else {
        return Ok(());
    };
    let State::Suspended { lead, .. } = &open.turn.state else {
        return Ok(());
    };
    let lead = lead.clone();
    let connection = lead.connection.as_ref();
    if connection.is_none_or(|id| !cx.engine.connections.contains_key(id)) {
        return queue_again(cx, step, id);
    }
    // A resumed lease begins now.
    open.heard_at = open.heard_at.max(cx.engine.now);
    let state = State::Active(lead);
    change_turn_beside(cx, step, id, Event::Resume, state, Stored::Row);
    Ok(())
}

/// The first of these events by the clock that is due, with its time and the id of its request. The
/// end of its turn that was due before it withdraws a request instead.
pub(crate) fn first_due<'a, A: Asking + 'a, E>(
    cx: &Context<'_>,
    events: impl Iterator<Item = ((Timestamp, E), &'a A)>,
) -> Option<(Timestamp, E, String)> {
    let due = events.filter(|((at, _), asking)| {
        let open = asking.turn().and_then(|turn| cx.memory.turns.get(turn));
        let is_outlived = open.is_none_or(|open| *at <= turn_deadline(cx, open));
        *at <= cx.engine.now && is_outlived
    });
    let ((at, event), asking) = due.min_by_key(|((at, _), asking)| (*at, asking.places().0))?;
    Some((at, event, asking.id().to_owned()))
}

/// Refuses to resume a turn by hand while it waits for a request of its own.
pub(crate) fn check_unasked(cx: &Context<'_>, verb: &str, id: &str) -> Result<(), ErrorInfo> {
    if (cx.others.asked)(cx.memory, id).is_none() {
        return Ok(());
    }
    let message = format!(
        "unable to {verb}; turn {id} waits for what it asked for, which has to be settled or \
         withdrawn first"
    );
    Err(ErrorInfo::new(ErrorCode::Conflict, message))
}
