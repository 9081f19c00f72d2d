//! A machine in memory, with the platform's state for it.

use std::rc::Rc;

use super::sockets::Sockets;
use super::sql::PlatformSql;
use crate::machine::Machine;
use crate::protocol::limits::Limits;

/// The state loaded when the object wakes.
pub(super) struct Core<M: Machine> {
    pub(super) machine: M,
    pub(super) store: M::Store,
    pub(super) sql: Rc<PlatformSql>,
    pub(super) sockets: Sockets,
    pub(super) limits: Limits,
}
