//! Calls: tools that run on a client's device, one of them, once (P8.9).

pub(super) mod call;
pub(super) mod change;
pub(super) mod claim;
mod inboxes;
pub(super) mod lease;
pub(super) mod list;
pub(super) mod part;
pub(super) mod settle;
pub(super) mod shown;
pub(super) mod state;
