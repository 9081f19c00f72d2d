//! An approval as it is sent on the wire (P8.1).

use serde::Serialize;

use super::approval::{Approval, Choice, Decision, Kind, OnDeadline, OnMessage, Status};
use super::data::Data;
use super::grant::Scope;
use super::ids::Timestamp;
use super::milestone::Milestone;
use super::serial::{Epoch, Serial};

impl Shown {
    /// A milestone of it (P11.8).
    pub(super) fn milestone(&self, event: &'static str) -> Milestone {
        let last = self
            .history
            .last()
            .filter(|_| self.status != Status::Pending);
        Milestone {
            event,
            id: Some(self.id.clone()),
            turn: self.turn.clone(),
            kind: Some(self.kind.as_str()),
            status: Some(self.status.as_str()),
            ms: last.map(|line| line.at.saturating_sub(self.created_at)),
            ..Milestone::default()
        }
    }
}

impl Approval {
    /// The approval as sent on the wire.
    pub fn shown(&self, session: &str, epoch: Epoch) -> Shown {
        let (asked, verdict) = (self.asked.clone(), self.verdict.clone());
        let history: Vec<Line> = self
            .history
            .iter()
            .map(|past| Line {
                at: past.at,
                what: past.what.what(),
                who: past.who.clone(),
                grant: past.by.as_ref().and(asked.grant.clone()),
                approval: past.by.clone(),
            })
            .collect();
        Shown {
            id: self.id.clone(),
            session: session.to_owned(),
            turn: self.turn.clone(),
            kind: asked.kind,
            status: self.status,
            title: asked.title,
            description: asked.description,
            data: asked.data,
            schema: asked.schema,
            options: asked.options,
            assignees: asked.assignees,
            client: self.client.clone(),
            deadline_at: self.deadline_at,
            on_deadline: asked.on_deadline,
            on_message: asked.on_message,
            grant: asked.grant,
            decision: verdict.decision,
            option: verdict.option,
            answer: verdict.answer,
            comment: verdict.comment,
            scope: verdict.scope,
            decided_by: self.decided_by(),
            history,
            created_at: self.created_at,
            serial: epoch.at(self.place),
            version: epoch.at(self.version),
        }
    }
}

/// An entry of the history on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Line {
    at: Timestamp,
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<String>,
}

/// An approval on the wire (P8.1). Absent fields are left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    id: String,
    session: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<String>,
    kind: Kind,
    status: Status,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Data>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<Choice>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assignees: Vec<String>,
    client: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "OnDeadline::is_usual")]
    on_deadline: OnDeadline,
    #[serde(skip_serializing_if = "OnMessage::is_usual")]
    on_message: OnMessage,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Data>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Scope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    history: Vec<Line>,
    created_at: Timestamp,
    serial: Serial,
    version: Serial,
}
