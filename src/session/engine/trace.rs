//! Traces of connections: how each began, what it was refused, how it ended (P11.4).
//!
//! They explain a session that misbehaved. They are kept in memory only, so they begin when the
//! session wakes, and they change at an attach, a `seen`, a refusal and a close, and never at an
//! append.

use std::collections::VecDeque;

use serde::Serialize;

use crate::machine::Carrier;
use crate::ordered::Map;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::serial::Serial;

/// Refusals by their code.
type Refused = Map<&'static str, u64>;

/// A connection's trace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// When it attached; `None` if that was before the session woke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attached_at: Option<Timestamp>,
    /// Whether it resumed where it was (P3.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resumed: Option<bool>,
    /// The reason why it could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Frames of its replay.
    pub(crate) frames: usize,
    /// Bytes of its replay, and of `attached`.
    pub(crate) bytes: u64,
    /// When it last confirmed a probe (P13.7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seen_at: Option<Timestamp>,
    /// Its frames that were refused.
    pub(crate) refused: Refused,
}

/// A connection that is gone.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Gone {
    pub(super) connection: ConnectionId,
    pub(super) client: String,
    pub(super) kind: Carrier,
    pub(super) gone_at: Timestamp,
    /// The end of the log then.
    pub(super) serial: Serial,
    /// The code that the session closed it with; absent if the client closed it, or its network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'static str>,
    pub(super) trace: Trace,
}

/// Everything kept of connections since the session woke.
#[derive(Debug, Default, Serialize)]
pub struct Traces {
    /// Connections that attached, and those of them that resumed.
    pub(super) attached: u64,
    pub(super) resumed: u64,
    /// Frames and bytes of all replays.
    pub(super) frames: u64,
    pub(super) bytes: u64,
    /// Frames of all, also by HTTP, and attaches that were refused.
    pub(super) refused: Refused,
    /// Connections that the session closed, by the code.
    pub(super) closed: Map<u16, u64>,
    /// The last connections that are gone, the latest last.
    pub(super) gone: VecDeque<Gone>,
}
