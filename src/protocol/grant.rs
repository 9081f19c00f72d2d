//! Remembered approvals: a grant settles later requests with the same key at once (P8.6).

use serde::Serialize;

use super::capability::Role;
use super::error::ErrorInfo;
use super::fields::{Fields, FromFields};
use super::ids::Timestamp;
use super::limits::Limits;
use super::object::{read_fields, words};
use super::serial::{Place, Serial};

/// How far a decision is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Until the end of the turn.
    Turn,
    /// Until it is revoked.
    Session,
}

words!(Scope {
    Turn = "turn",
    Session = "session",
});

/// A client that gave a grant, as it was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decider {
    /// The client.
    pub client: String,
    /// The role that its token says.
    pub role: Role,
    /// Whether its token has `admin`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_admin: bool,
}

read_fields!(Decider {
    client,
    role,
    is_admin: or_default,
});

/// A grant that is in force, in memory and, as JSON, in its row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// The place of the approval that it was given with.
    pub place: Place,
    /// That approval's id.
    pub approval: String,
    /// The key of the requests that it settles.
    pub key: String,
    /// The client whose requests it settles.
    pub client: String,
    /// The turn whose requests it settles; `None` for all of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<String>,
    /// The client that gave it.
    pub by: Decider,
    /// When it was given.
    pub at: Timestamp,
}

read_fields!(Grant {
    place,
    approval,
    key,
    client,
    turn,
    by,
    at,
});

impl Grant {
    /// The grant as sent on the wire.
    pub fn shown(&self) -> ShownGrant {
        ShownGrant {
            key: self.key.clone(),
            scope: match self.turn {
                Some(_) => Scope::Turn,
                None => Scope::Session,
            },
            turn: self.turn.clone(),
            client: self.client.clone(),
            by: self.by.client.clone(),
            approval: self.approval.clone(),
            at: self.at,
        }
    }
}

/// A grant on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownGrant {
    key: String,
    scope: Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<String>,
    client: String,
    by: String,
    approval: String,
    at: Timestamp,
}

/// `grant.revoke`, as readers get it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RevokeFrame {
    /// Its serial.
    pub serial: Serial,
    /// The key.
    pub key: String,
    /// The client that revoked.
    pub by: String,
    /// The grants that are in force after it.
    pub grants: Vec<ShownGrant>,
}

/// `grant.revoke` (P8.6).
#[derive(Debug)]
pub struct RevokeGrant {
    /// The key whose grants end.
    pub key: String,
    /// Makes a resend safe (P13.1).
    pub id: Option<String>,
}

impl FromFields for RevokeGrant {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            key: fields.need_name("key", limits)?,
            id: fields.name("id", limits)?,
        })
    }
}
