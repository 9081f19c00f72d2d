//! Messages: published, appended to, updated, deleted, trimmed by age (P4, P5).

pub(super) mod append;
pub(super) mod delete;
mod edits;
pub(super) mod publish;
pub(super) mod retention;
pub(super) mod signal;
pub(super) mod silence;
pub(super) mod standing;
pub(super) mod state;
pub(super) mod update;
