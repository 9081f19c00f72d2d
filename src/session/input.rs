//! Everything that can happen to a session.

use super::Session;

/// Everything that can happen to a session.
pub type Input = crate::machine::Input<Session>;

/// Where a replay begins (P3.3).
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The position to resume after, as the client gave it.
    pub since: Option<String>,
    /// How many messages to go back otherwise.
    pub rewind: usize,
}
