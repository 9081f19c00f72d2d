//! Waking: an input, or a turn that waits for its next agent, is owed to the agent that the
//! session names until a turn takes it (P10.3).

pub(super) mod again;
mod inboxes;
pub(super) mod owe;
pub(super) mod part;
pub(super) mod state;
mod work;
