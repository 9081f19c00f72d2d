//! The budget: limits of the session's sums, beyond which no turn begins.

use crate::protocol::usage::OverBudget;
use crate::session::context::Context;
use crate::session::engine::Error;
use crate::store::StoreError;

/// The first sum beyond its limit, if there is one.
pub(crate) fn over_budget(cx: &Context<'_>) -> Result<Option<OverBudget>, StoreError> {
    let Some(budget) = &cx.engine.settings.budget else {
        return Ok(None);
    };
    Ok(cx.memory.usage.known(cx.engine.store)?.beyond(budget))
}

/// Whether the budget is spent, as far as that can be read.
pub(crate) fn is_spent(cx: &Context<'_>) -> bool {
    over_budget(cx).is_ok_and(|over| over.is_some())
}

/// Refuses to begin work while the budget is spent.
pub(crate) fn check_budget(cx: &Context<'_>, verb: &str) -> Result<(), Error> {
    match over_budget(cx)? {
        Some(over) => Err(over.refusal(verb).into()),
        None => Ok(()),
    }
}
