//! Calls of tools that a client's device runs (P8.9).

use serde::Serialize;

use super::data::Data;
use super::ids::{ConnectionId, Timestamp};
use super::news::{Asking, ItemKind};
use super::object::{read_fields, words};
use super::serial::{Epoch, Place, Serial};

/// The state of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It waits for a device, or for the result of the one that claimed it.
    Pending,
    /// It has a result.
    Complete,
    /// The device says that the tool failed.
    Failed,
    /// Its deadline passed.
    Expired,
    /// Its agent took it back, or its turn ended.
    Withdrawn,
}

words!(Status {
    Pending = "pending",
    Complete = "complete",
    Failed = "failed",
    Expired = "expired",
    Withdrawn = "withdrawn",
});

/// The latest event of a call, named as its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is open: it was made, or the claim on it has ended.
    Call,
    /// A device claimed it.
    Claim,
    /// The device settled it.
    Result,
    /// It ended without a result.
    Expire,
}

words!(Event {
    Call = "tool.call",
    Claim = "tool.claim",
    Result = "tool.result",
    Expire = "tool.expire",
});

/// A device's claim on a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Claim {
    /// The claim's own id, which its client chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The client.
    pub client: String,
    /// Its connection; `None` for a claim by HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    /// When it was made, or last made again.
    pub at: Timestamp,
    /// Its lease in milliseconds.
    pub lease_ms: u64,
}

read_fields!(Claim {
    id,
    client,
    connection,
    at,
    lease_ms,
});

/// The request, as received.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Called {
    /// The tool.
    pub name: String,
    /// Its input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Data>,
    /// The clients, roles and connections that may claim it; without any, every client.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// The schema of its output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<Data>,
    /// Whether its turn waits for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
}

read_fields!(Called {
    name,
    input,
    to: or_default,
    schema,
    suspend: or_default,
});

/// The result of a tool.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Returned {
    /// Its output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Data>,
    /// The error that it failed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Data>,
}

read_fields!(Returned { output, error });

impl Returned {
    /// The status of a call with this result.
    pub fn status(&self) -> Status {
        match self.error {
            Some(_) => Status::Failed,
            None => Status::Complete,
        }
    }
}

/// A call in memory and, as JSON, in its row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// The place of its request in the log.
    pub place: Place,
    /// The place of its latest change.
    pub version: Place,
    /// The event of that change.
    pub event: Event,
    /// Its id, the client's own or the session's.
    pub id: String,
    /// The turn that it belongs to.
    pub turn: String,
    /// The client that leads the turn.
    pub client: String,
    /// The request.
    pub called: Called,
    /// When its deadline is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_at: Option<Timestamp>,
    /// Its state.
    pub status: Status,
    /// The latest claim, also once that has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// Whether the claim holds.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_held: bool,
    /// The result.
    pub returned: Returned,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
}

read_fields!(Call {
    place,
    version,
    event,
    id,
    turn,
    client,
    called,
    deadline_at,
    status,
    claim,
    is_held: or_default,
    returned: or_default,
    created_at,
    settled_at,
});

impl Asking for Call {
    const KIND: ItemKind = ItemKind::Call;

    fn id(&self) -> &str {
        &self.id
    }

    fn turn(&self) -> Option<&str> {
        Some(&self.turn)
    }

    fn places(&self) -> (Place, Place) {
        (self.place, self.version)
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }

    fn is_open(&self) -> bool {
        self.is_pending()
    }
}

impl Call {
    /// Whether it waits for a result.
    pub fn is_pending(&self) -> bool {
        self.status == Status::Pending
    }

    /// The claim that holds.
    pub fn held(&self) -> Option<&Claim> {
        self.claim.as_ref().filter(|_| self.is_held)
    }

    /// The call as sent on the wire; `lease_until` while it is claimed.
    pub fn shown(&self, session: &str, epoch: Epoch, lease_until: Option<Timestamp>) -> Shown {
        let (called, returned) = (self.called.clone(), self.returned.clone());
        Shown {
            id: self.id.clone(),
            session: session.to_owned(),
            turn: self.turn.clone(),
            client: self.client.clone(),
            status: self.status,
            name: called.name,
            input: called.input,
            to: called.to,
            schema: called.schema,
            suspend: called.suspend,
            deadline_at: self.deadline_at,
            claim: self.held().map(|claim| ShownClaim {
                id: claim.id.clone(),
                client: claim.client.clone(),
                connection: claim.connection.clone(),
                at: claim.at,
                lease_ms: claim.lease_ms,
                lease_until,
            }),
            output: returned.output,
            error: returned.error,
            created_at: self.created_at,
            settled_at: self.settled_at,
            serial: epoch.at(self.place),
            version: epoch.at(self.version),
        }
    }
}

/// A claim on the wire.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownClaim {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    client: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<ConnectionId>,
    at: Timestamp,
    lease_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_until: Option<Timestamp>,
}

/// A call on the wire. Absent fields are left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    id: String,
    session: String,
    turn: String,
    client: String,
    status: Status,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Data>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    to: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Data>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    suspend: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<ShownClaim>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Data>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Data>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    settled_at: Option<Timestamp>,
    serial: Serial,
    version: Serial,
}
