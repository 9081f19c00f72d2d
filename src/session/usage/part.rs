//! Usage as a part of the session: its sums, and whether the budget is spent, for a new reader.

use super::budget::over_budget;
use super::memory::Sums;
use crate::protocol::frame::Lists;
use crate::session::context::Context;
use crate::session::engine::Live;
use crate::session::part::Part;
use crate::store::StoreError;

/// Usage, as a part of the session.
pub(crate) struct Used;

impl Part for Used {
    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        // The row is read when it is needed.
        cx.memory.usage = Sums::default();
        Ok(())
    }

    fn listed(cx: &Context<'_>, _: &Live, lists: &mut Lists) -> Result<(), StoreError> {
        lists.usage = cx.memory.usage.known(cx.engine.store)?.clone();
        lists.over_budget = over_budget(cx)?;
        Ok(())
    }
}
