//! Amounts are added to a turn and to the session.

use super::budget::over_budget;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::ServerFrame;
use crate::protocol::limits::{SESSION_USAGE_NAMES, USAGE_NAMES};
use crate::protocol::usage::Usage;
use crate::session::context::Context;
use crate::session::engine::{Error, Step};
use crate::session::turns::shown::shown;
use crate::store::{StoreError, UsageWrite};

/// Whether an open turn and the session take these amounts: each has so many names at most.
pub(crate) fn check_usage(
    cx: &Context<'_>,
    verb: &str,
    id: &str,
    usage: &Usage,
) -> Result<(), Error> {
    let open = cx.memory.turns.get(id);
    let of_turn = open.map_or(0, |open| open.turn.usage.len_with(usage));
    let of_session = cx.memory.usage.known(cx.engine.store)?.len_with(usage);
    let (who, limit) = if USAGE_NAMES < of_turn {
        (format!("turn {id}"), USAGE_NAMES)
    } else if SESSION_USAGE_NAMES < of_session {
        (format!("session {}", cx.engine.id), SESSION_USAGE_NAMES)
    } else {
        return Ok(());
    };
    let message = format!("unable to {verb}; {who} would have usage of more than {limit} names");
    Err(ErrorInfo::new(ErrorCode::OverLimit, message).into())
}

/// Adds amounts to an open turn in memory, whose row is still to be stored, and to the session's
/// sums. The frame for that has no place of its own: it ends nobody's window. Returns whether this
/// is what spent the budget.
pub(crate) fn add(
    cx: &mut Context<'_>,
    step: &mut Step,
    id: &str,
    usage: &Usage,
) -> Result<bool, StoreError> {
    let was = over_budget(cx)?;
    let sums = cx.memory.usage.known_mut(cx.engine.store)?;
    sums.add(usage);
    step.write(UsageWrite { sums: sums.clone() });
    let added = sums.of(usage);
    if let Some(open) = cx.memory.turns.get_mut(id) {
        open.turn.usage.add(usage);
    }
    if let Some(open) = cx.memory.turns.get(id) {
        step.tell(ServerFrame::Used {
            serial: cx.engine.epoch.at(open.turn.version),
            turn: shown(cx, open),
            usage: added,
        });
    }
    match (was, over_budget(cx)?) {
        (Some(was), Some(over)) if over.is_other(&was) => {
            step.tell(ServerFrame::Budget {
                over_budget: Some(over),
            });
            Ok(false)
        }
        (was, over) => Ok(was.is_none() && over.is_some()),
    }
}
