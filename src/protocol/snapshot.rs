//! A session in one read (P11.1).

use serde::Serialize;
use serde_json::value::RawValue;

use super::approval_shown::Shown as Approval;
use super::call::Shown as Call;
use super::frame::Presence;
use super::grant::ShownGrant;
use super::handover::Leading;
use super::ids::Timestamp;
use super::mark::Mark;
use super::serial::Serial;
use super::settings::Settings;
use super::state::Shown as SharedState;
use super::turn::Shown;
use super::usage::{OverBudget, Usage};

/// A session in one read.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot<'a> {
    /// The session's id.
    pub session: &'a str,
    /// The end of the log.
    pub serial: Serial,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Its settings.
    pub settings: &'a Settings,
    /// The presence list.
    #[serde(flatten)]
    pub presence: Presence,
    /// The person who leads (P8.8).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead: Option<Leading>,
    /// The open turns, and those of the messages (P6.9).
    pub turns: Vec<Shown>,
    /// The pending approvals; absent when they are longer than a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approvals: Option<Vec<Approval>>,
    /// The grants that are in force (P8.6).
    pub grants: Vec<ShownGrant>,
    /// The pending calls; absent when they are longer than a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<Vec<Call>>,
    /// The shared state; absent when nothing was ever set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<SharedState>,
    /// The read marks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// The session's sums (P6.12).
    #[serde(skip_serializing_if = "Usage::is_empty")]
    pub usage: Usage,
    /// The sum that is beyond the budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_budget: Option<OverBudget>,
    /// Whether history holds older messages.
    pub has_older: bool,
    /// The newest messages, the oldest first.
    pub messages: Vec<Box<RawValue>>,
}
