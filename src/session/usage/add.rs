//! Amounts are added to a turn, and to the session's sums.

use super::budget::over_budget;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::ServerFrame;
use crate::protocol::limits::{SESSION_USAGE_NAMES, USAGE_NAMES};
use crate::protocol::usage::Usage;
use crate::session::context::Context;
use crate::session::engine::{Error, Step};
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

/// Adds amounts of a turn to the session's sums. Returns whether it is these that spent the
/// budget.
pub(crate) fn add(
    cx: &mut Context<'_>,
    step: &mut Step,
    usage: &Usage,
) -> Result<bool, StoreError> {
    let was_spent = over_budget(cx)?.is_some();
    let sums = cx.memory.usage.known_mut(cx.engine.store)?;
    sums.add(usage);
    step.write(UsageWrite { sums: sums.clone() });
    let usage = sums.of(usage);
    let over_budget = over_budget(cx)?;
    let is_spent = over_budget.is_some();
    step.tell(ServerFrame::Usage { usage, over_budget });
    Ok(is_spent && !was_spent)
}
