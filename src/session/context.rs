//! The context of every feature while an input is handled.

use super::deliveries::queue::Queue;
use super::engine::Work;
use super::messages::state::Retention;
use super::presence::state::Presence;
use super::turns::state::Turns;

/// The memory of all features, one field each.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) turns: Turns,
    pub(super) presence: Presence,
    pub(super) retention: Retention,
    pub(super) deliveries: Queue,
}

/// One input's hold on the session: the engine, and the memory of every feature.
pub(super) struct Context<'a> {
    pub(super) engine: Work<'a>,
    pub(super) memory: &'a mut Memory,
}
