//! Calls that are pending, in memory.

use crate::ordered::Map;
use crate::protocol::call::Call;
use crate::protocol::ids::{ConnectionId, Timestamp};

/// A call that is pending, in memory.
#[derive(Debug)]
pub(crate) struct PendingCall {
    pub(crate) call: Call,
    /// Bytes of its row when it was made.
    pub(crate) bytes: usize,
}

impl PendingCall {
    pub(crate) fn new(call: Call) -> Self {
        let bytes = serde_json::to_string(&call).map_or(0, |body| body.len());
        Self { call, bytes }
    }
}

/// When a connection that holds calls was heard.
#[derive(Debug)]
pub(crate) struct Heard {
    /// When it certainly was, by a frame.
    pub(crate) at: Timestamp,
    /// When it may have been since, as far as a waking session can tell.
    pub(crate) perhaps_at: Timestamp,
    /// The most that the time kept with the connection may lag.
    pub(crate) slack: Timestamp,
}

/// The calls that are pending.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// By id.
    pub(crate) pending: Map<String, PendingCall>,
    /// The connections that hold some.
    pub(crate) heard: Map<ConnectionId, Heard>,
}
