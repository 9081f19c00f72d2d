//! Turns: agents' answers, their leaders and their ends (P6).

pub(super) mod adopt;
pub(super) mod cancel;
pub(super) mod change;
pub(super) mod drive;
pub(super) mod instructions;
pub(super) mod leader;
pub(super) mod lease;
pub(super) mod list;
pub(super) mod lost;
pub(super) mod queue;
pub(super) mod shown;
pub(super) mod start;
pub(super) mod state;
pub(super) mod steer;
pub(super) mod waiting;
