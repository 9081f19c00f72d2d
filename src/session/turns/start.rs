//! A turn begins (P6.2).

use crate::protocol::decode::StartTurn;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::limits::{INPUT_TURNS, TURN_DEPTH};
use crate::protocol::serial::{Place, Serial};
use crate::protocol::turn::{Ending, Event, Lead, State, Turn, Within, lease};
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Sender};
use crate::session::handover::check::check_unled;
use crate::session::turns::change::{
    End, change_turn, check_open_turns, finish_turn, hold_turn, take_turn,
};
use crate::session::turns::change::{NAME, new_turn};
use crate::session::turns::shown::{answer_changed, answer_stored, closed_turn, find};
use crate::session::turns::steer::check_unread;
use crate::session::usage::budget::check_budget;
use crate::session::waking::owe::taken;
use crate::store::Answers;

/// Begins a turn, or takes the one that waits for an agent (P6.2).
pub(crate) fn start_turn(
    cx: &mut Context<'_>,
    sender: &Sender,
    start: StartTurn,
) -> Result<Answer, Error> {
    const VERB: &str = "start the turn";
    let input = cx.engine.message_place(VERB, start.input)?;
    let parent = cx.engine.message_place(VERB, start.parent)?;
    let answers = match input {
        Some(input) => cx.engine.store.answers(input, &sender.client)?,
        None => Answers::default(),
    };
    let lead = Lead::new(sender.connection.clone(), lease(start.lease_ms));
    if let Some(known) = known_turn(cx, sender, &start, input, answers)? {
        if known.state != State::Queued {
            return Ok(answer_stored(cx, &known, true));
        }
        check_unled(cx, VERB)?;
        check_budget(cx, VERB)?;
        cx.engine.settle()?;
        let mut step = cx.engine.step_by(sender);
        let (metadata, traceparent) = (start.metadata, start.traceparent);
        let shown = take_turn(cx, &mut step, &known.id, lead, |turn| {
            turn.parent = parent.or(turn.parent);
            turn.metadata = metadata.or_else(|| turn.metadata.take());
            turn.traceparent = traceparent.or_else(|| turn.traceparent.take());
        });
        cx.engine.commit(step)?;
        return answer_changed(shown);
    }
    check_name(start.id.as_deref())?;
    if let Some(input) = input.filter(|_| !start.again) {
        check_unread(cx, VERB, input)?;
    }
    check_unled(cx, VERB)?;
    check_budget(cx, VERB)?;
    cx.engine.check_room(VERB)?;
    check_open_turns(cx, VERB, 1)?;
    if INPUT_TURNS <= answers.count {
        let message = format!("unable to {VERB}; its input has {INPUT_TURNS} answers");
        return Err(ErrorInfo::new(ErrorCode::OverLimit, message).into());
    }
    let within = within(cx, start.within, start.detached)?;
    let around = within.as_ref().and_then(|it| cx.memory.turns.get(&it.turn));
    let cancel_around = around.and_then(|open| open.turn.cancel.clone());
    // Its own, or that of its cause (P6.13).
    let mut traceparent = start.traceparent;
    if let (None, Some(input)) = (&traceparent, input) {
        traceparent = cx.engine.store.traceparent_of(input)?;
    }
    let traceparent = traceparent.or_else(|| around.and_then(|it| it.turn.traceparent.clone()));
    cx.engine.settle()?;
    let cancel = match input.filter(|_| !start.again) {
        Some(input) => cx.engine.store.cancel_of_input(input)?,
        None => None,
    };
    let cancel = cancel.or(cancel_around);
    let mut step = cx.engine.step_by(sender);
    let is_cancelled = cancel.is_some();
    let turn = Turn {
        agent: Some(sender.client.clone()),
        parent,
        within,
        started_at: Some(cx.engine.now),
        metadata: start.metadata,
        traceparent,
        cancel,
        state: State::Active(lead),
        ..new_turn(cx, start.id, input)
    };
    let id = turn.id.clone();
    hold_turn(cx, turn);
    if let Some(input) = input {
        taken(cx, &mut step, input);
    }
    let shown = if is_cancelled {
        // P6.5, P6.11: it is not wanted any more, so the turn begins cancelled.
        let end = End::of(Ending::Cancelled);
        finish_turn(cx, &mut step, &id, end)?
    } else {
        change_turn(cx, &mut step, &id, Event::Start, |_| {})
    };
    cx.engine.commit(step)?;
    answer_changed(shown)
}

/// The place of a new turn within another, which must be open (P6.11).
fn within(cx: &Context<'_>, id: Option<String>, detached: bool) -> Result<Option<Within>, Error> {
    const VERB: &str = "start the turn";
    let Some(id) = id else { return Ok(None) };
    let Some(open) = cx.memory.turns.get(&id) else {
        return Err(closed_turn(VERB, &find(cx, VERB, &id)?).into());
    };
    let depth = open.turn.within.as_ref().map_or(0, |within| within.depth) + 1;
    if TURN_DEPTH < depth {
        let message = format!("unable to {VERB}; turn {id} has {TURN_DEPTH} turns around it");
        return Err(ErrorInfo::new(ErrorCode::OverLimit, message).into());
    }
    Ok(Some(Within {
        turn: id,
        depth,
        detached,
    }))
}

/// The turn that a `turn.start` already stands for (P6.2).
fn known_turn(
    cx: &Context<'_>,
    sender: &Sender,
    start: &StartTurn,
    input: Option<Place>,
    answers: Answers,
) -> Result<Option<Turn>, Error> {
    let is_own = |turn: &Turn| turn.agent.as_ref() == Some(&sender.client);
    if let Some(id) = &start.id
        && let Some(turn) = cx.engine.store.turn(id)?
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
    let open = cx.memory.turns.values().map(|open| &open.turn);
    let queued = open.filter(|turn| turn.input == Some(input) && turn.state == State::Queued);
    if let Some(queued) = queued.max_by_key(|turn| turn.place) {
        return Ok(Some(queued.clone()));
    }
    match answers.own {
        Some(own) => Ok(cx.engine.store.turn_at(own)?),
        None => Ok(None),
    }
}

/// Names made by the session are reserved: a client must choose another one.
fn check_name(id: Option<&str>) -> Result<(), ErrorInfo> {
    let Some(id) = id else { return Ok(()) };
    if id.strip_prefix(NAME).and_then(Serial::parse).is_none() {
        return Ok(());
    }
    let message = format!("unable to start the turn; {id} is a name that the session gives");
    Err(ErrorInfo::new(ErrorCode::InvalidFrame, message))
}
