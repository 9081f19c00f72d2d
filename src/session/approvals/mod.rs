//! Approvals: what a person has to answer, today or in a week (P8).

pub(super) mod ask;
pub(super) mod change;
pub(super) mod decide;
pub(super) mod grants;
mod inboxes;
pub(super) mod list;
pub(super) mod part;
pub(super) mod revoke;
pub(super) mod rights;
pub(super) mod shown;
pub(super) mod state;
pub(super) mod words;
