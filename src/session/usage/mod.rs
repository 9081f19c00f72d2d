//! Usage: the amounts that turns report, the sums of the session, and a budget for these (P6.12).

pub(super) mod add;
pub(super) mod budget;
pub(super) mod memory;
pub(super) mod part;
pub(super) mod report;
pub(super) mod stop;
