//! The first frame of a connection (P3.4).

use serde::Serialize;

use super::approval_shown::Shown as Approval;
use super::call::Shown as Call;
use super::grant::ShownGrant;
use super::handover::Leading;
use super::ids::{ConnectionId, Timestamp};
use super::limits::Limits;
use super::mark::Mark;
use super::presence::Member;
use super::serial::Serial;
use super::state::Shown as SharedState;
use super::turn::Shown as Turn;
use super::usage::{OverBudget, Usage};

/// The first frame of a connection (P3.4).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attached {
    /// The version of the protocol.
    pub protocol: u32,
    /// The session's id.
    pub session: String,
    /// This connection.
    pub connection: ConnectionId,
    /// Its client.
    pub client: String,
    /// When its token expires.
    pub expires_at: Timestamp,
    /// The session's time: a device's own clock may be hours off.
    pub at: Timestamp,
    /// The end of the log on attaching.
    pub serial: Serial,
    /// Whether the replay continues after `since`; if not, the client discards its state (P3.6).
    pub resumed: bool,
    /// Why it does not although `since` was given; for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether history holds more than was replayed.
    pub has_older: bool,
    /// The number of the session's connections, this one included.
    pub connections: usize,
    /// The lists of the session's features.
    #[serde(flatten)]
    pub lists: Lists,
    /// The bounds that hold here (P14).
    pub limits: Limits,
}

/// Each feature's list for a new connection (P3.4); absent when it is too long for the frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lists {
    /// The presence list.
    #[serde(flatten)]
    pub presence: Presence,
    /// The person who leads (P8.8).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead: Option<Leading>,
    /// The open turns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turns: Option<Vec<Turn>>,
    /// The pending approvals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approvals: Option<Vec<Approval>>,
    /// The grants that are in force (P8.6).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<ShownGrant>,
    /// The pending calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<Vec<Call>>,
    /// The shared state (P9.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<SharedState>,
    /// The read marks (P9.5).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// The session's sums (P6.12).
    #[serde(skip_serializing_if = "Usage::is_empty")]
    pub usage: Usage,
    /// The sum that is beyond the budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_budget: Option<OverBudget>,
}

/// The presence list (P7.3).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    /// The members; absent when they are too long for the frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence: Option<Vec<Member>>,
    /// The number of members, where the list is cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_count: Option<usize>,
}
