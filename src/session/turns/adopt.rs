//! Adoption: another process takes a turn over; the earlier one's output is superseded, and its
//! later frames are refused (P6.8).

use crate::protocol::decode::AdoptTurn;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::limits::ADOPTED_MESSAGES;
use crate::protocol::turn::{Event, Lead, State, Turn, lease};
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Known, Sender, Step};
use crate::session::handover::check::check_unled;
use crate::session::turns::change::{change_turn, take_turn};
use crate::session::turns::instructions::renew_steers;
use crate::session::turns::shown::{answer_changed, closed_turn, find, repeat_by_id, shown};
use crate::session::usage::budget::check_budget;
use crate::store::StoreError;

const VERB: &str = "adopt the turn";

/// Answers an adoption whose id was taken before.
pub(crate) fn repeat(
    cx: &mut Context<'_>,
    adopt: &AdoptTurn,
    known: &Known,
) -> Result<Answer, Error> {
    repeat_by_id(cx, &adopt.turn, known)
}

/// Makes the sender the leader of a turn.
pub(crate) fn adopt(
    cx: &mut Context<'_>,
    sender: &Sender,
    adopt: AdoptTurn,
) -> Result<Answer, Error> {
    let Some(open) = cx.memory.turns.get(&adopt.turn) else {
        let turn = find(cx, VERB, &adopt.turn)?;
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
    if turn.state == State::Queued {
        check_unled(cx, VERB)?;
        check_budget(cx, VERB)?;
    }
    cx.engine.check_room(VERB)?;
    let is_superseded = matches!(turn.state, State::Active(_)) && !adopt.keep;
    if is_superseded
        && ADOPTED_MESSAGES
            < cx.engine
                .store
                .turn_messages(&turn, ADOPTED_MESSAGES + 1)?
                .len()
    {
        let message = format!(
            "unable to {VERB}; turn {} has more than {ADOPTED_MESSAGES} messages, which are \
             too many to take back: adopt it with keep",
            turn.id
        );
        return Err(ErrorInfo::new(ErrorCode::OverLimit, message).into());
    }
    cx.engine.settle()?;
    let mut step = cx.engine.step_by(sender);
    step.stands_for(turn.place);
    let before = turn.lead().map(|lead| lead.lease_ms);
    let lead = Lead::new(sender.connection.clone(), lease(adopt.lease_ms.or(before)));
    if turn.state == State::Queued {
        take_turn(cx, &mut step, &turn.id, lead, |_| {});
    } else {
        take_over(cx, &mut step, &turn.id, lead);
    }
    if is_superseded {
        supersede(cx, &mut step, &turn)?;
    }
    renew_steers(cx, &mut step, &turn.id)?;
    cx.engine.commit(step)?;
    answer_changed(cx.memory.turns.get(&turn.id).map(|open| shown(cx, open)))
}

/// Begins the next attempt. A suspended turn stays suspended.
fn take_over(cx: &mut Context<'_>, step: &mut Step, id: &str, lead: Lead) {
    if let Some(open) = cx.memory.turns.get_mut(id) {
        open.heard_at = cx.engine.now;
        open.perhaps_at = cx.engine.now;
    }
    let place = cx.engine.end + 1;
    change_turn(cx, step, id, Event::Adopt, |turn| {
        turn.attempt += 1;
        turn.attempt_place = place;
        match &mut turn.state {
            State::Active(known) | State::Suspended { lead: known, .. } => *known = lead,
            State::Queued | State::Ended { .. } => {}
        }
    });
}

/// Supersedes the output of earlier attempts.
fn supersede(cx: &mut Context<'_>, step: &mut Step, turn: &Turn) -> Result<(), StoreError> {
    for head in cx.engine.store.turn_messages(turn, ADOPTED_MESSAGES)? {
        if !turn.steers.iter().any(|(steer, _)| *steer == head.place) {
            cx.engine.delete_message(step, &head, true);
        }
    }
    Ok(())
}
