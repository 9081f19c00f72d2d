//! The leader's frames about its turn: end, suspend, resume, keep alive (P6.3, P6.8).

use crate::protocol::decode::{DriveTurn, EndTurn};
use crate::protocol::turn::{Event, State};
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Known, Sender};
use crate::session::turns::change::{End, change_turn, finish_turn};
use crate::session::turns::leader::{Claim, check_leader};
use crate::session::turns::lease::{note_alive, renew_lease};
use crate::session::turns::shown::{answer_changed, repeat_by_id, shown};
use crate::session::turns::waiting::check_unasked;
use crate::session::usage::add::{add, check_usage};
use crate::session::usage::stop::stop;

/// Answers a `turn.end` whose id was taken before.
pub(crate) fn repeat_end(
    cx: &mut Context<'_>,
    end: &EndTurn,
    known: &Known,
) -> Result<Answer, Error> {
    repeat_by_id(cx, &end.turn, known)
}

/// Answers a repeat of the other frames that drive a turn.
pub(crate) fn repeat(
    cx: &mut Context<'_>,
    drive: &DriveTurn,
    known: &Known,
) -> Result<Answer, Error> {
    repeat_by_id(cx, &drive.turn, known)
}

/// Ends a turn, with everything in it (P6.3).
pub(crate) fn end_turn(
    cx: &mut Context<'_>,
    sender: &Sender,
    end: EndTurn,
) -> Result<Answer, Error> {
    let claim = Claim {
        verb: "end the turn",
        sender,
        attempt: end.attempt,
    };
    check_leader(cx, &claim, &end.turn)?;
    let usage = end.usage.unwrap_or_default();
    check_usage(cx, claim.verb, &end.turn, &usage)?;
    cx.engine.settle()?;
    let mut step = cx.engine.step_by(sender);
    if let Some(open) = cx.memory.turns.get(&end.turn) {
        step.stands_for(open.turn.place);
    }
    if let Some(open) = cx.memory.turns.get_mut(&end.turn) {
        open.turn.usage.add(&usage);
    }
    let ended = End {
        ending: end.status,
        reason: None,
        error: end.error,
    };
    let shown = finish_turn(cx, &mut step, &end.turn, ended)?;
    if !usage.is_empty() && add(cx, &mut step, &usage)? {
        stop(cx, &mut step)?;
    }
    cx.engine.commit(step)?;
    answer_changed(shown)
}

/// `turn.suspend`.
pub(crate) fn suspend_turn(
    cx: &mut Context<'_>,
    sender: &Sender,
    drive: DriveTurn,
) -> Result<Answer, Error> {
    let (at, reason) = (cx.engine.now, drive.reason.clone());
    drive_turn(
        cx,
        sender,
        "suspend the turn",
        &drive,
        |state| match state {
            State::Active(lead) => {
                let state = State::Suspended { lead, reason, at };
                Some((Event::Suspend, state))
            }
            State::Queued | State::Suspended { .. } | State::Ended { .. } => None,
        },
    )
}

/// `turn.resume`.
pub(crate) fn resume_turn(
    cx: &mut Context<'_>,
    sender: &Sender,
    drive: DriveTurn,
) -> Result<Answer, Error> {
    const VERB: &str = "resume the turn";
    let claim = Claim {
        verb: VERB,
        sender,
        attempt: drive.attempt,
    };
    check_leader(cx, &claim, &drive.turn)?;
    check_unasked(cx, VERB, &drive.turn)?;
    drive_turn(cx, sender, VERB, &drive, |state| match state {
        State::Suspended { lead, .. } => Some((Event::Resume, State::Active(lead))),
        State::Queued | State::Active(_) | State::Ended { .. } => None,
    })
}

/// `turn.heartbeat`.
pub(crate) fn keep_turn(
    cx: &mut Context<'_>,
    sender: &Sender,
    drive: DriveTurn,
) -> Result<Answer, Error> {
    drive_turn(cx, sender, "renew the lease", &drive, |_| None)
}

/// Renews a turn's lease, and changes its state if `change` returns another: a turn that is already
/// in the requested state stays as it is (P6.3, P6.8).
fn drive_turn(
    cx: &mut Context<'_>,
    sender: &Sender,
    verb: &str,
    drive: &DriveTurn,
    change: impl FnOnce(State) -> Option<(Event, State)>,
) -> Result<Answer, Error> {
    let claim = Claim {
        verb,
        sender,
        attempt: drive.attempt,
    };
    let id = &drive.turn;
    check_leader(cx, &claim, id)?;
    let mut step = cx.engine.step_by(sender);
    if let Some(open) = cx.memory.turns.get(id) {
        step.stands_for(open.turn.place);
        if let Some((event, state)) = change(open.turn.state.clone()) {
            cx.engine.settle()?;
            // A resumed lease begins now.
            note_alive(cx, id);
            change_turn(cx, &mut step, id, event, |turn| turn.state = state);
        }
    }
    cx.engine.commit(step)?;
    renew_lease(cx, sender, id)?;
    answer_changed(cx.memory.turns.get(id).map(|open| shown(cx, open)))
}
