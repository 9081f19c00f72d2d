//! The budget is spent: open turns are cancelled in the same step. It is raised: those that were
//! queued meanwhile may be taken.

use super::budget::over_budget;
use crate::protocol::frame::ServerFrame;
use crate::protocol::settings::Settings;
use crate::protocol::turn::{Cancel, Event, State};
use crate::protocol::usage::Usage;
use crate::session::context::Context;
use crate::session::engine::Step;
use crate::session::turns::cancel::cancel_all;
use crate::session::turns::change::change_turn;
use crate::store::StoreError;

/// The reason of the cancels.
const BUDGET: &str = "budget";

/// Cancels everything that is open. Nothing may be pending.
pub(crate) fn stop(cx: &mut Context<'_>, step: &mut Step) -> Result<(), StoreError> {
    let cancel = Cancel {
        by: step.by().unwrap_or_default().to_owned(),
        at: cx.engine.now,
        reason: Some(BUDGET.to_owned()),
    };
    cancel_all(cx, step, &cancel)
}

/// The settings are about to change, and the budget with them.
pub(crate) fn change_budget(
    cx: &mut Context<'_>,
    step: &mut Step,
    settings: &Settings,
) -> Result<(), StoreError> {
    let was = over_budget(cx)?;
    let sums = cx.memory.usage.known(cx.engine.store)?;
    let over_budget = settings.budget.as_ref().and_then(|it| sums.beyond(it));
    if was == over_budget {
        return Ok(());
    }
    let is_spent = over_budget.is_some();
    let usage = Usage::default();
    step.tell(ServerFrame::Usage { usage, over_budget });
    if is_spent && was.is_none() {
        stop(cx, step)?;
    } else if !is_spent && cx.memory.handover.is_none() {
        tell_queued(cx, step);
    }
    Ok(())
}

/// Agents that were refused a queued turn have no other sign that it may be taken.
fn tell_queued(cx: &mut Context<'_>, step: &mut Step) {
    let open = cx.memory.turns.values().map(|open| &open.turn);
    let queued = open.filter(|turn| turn.state == State::Queued);
    for id in queued.map(|turn| turn.id.clone()).collect::<Vec<_>>() {
        change_turn(cx, step, &id, Event::Queue, |_| {});
    }
}
