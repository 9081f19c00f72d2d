//! Who is there: a connection announced in the session (P7).

use serde::{Deserialize, Serialize};

use super::capability::Role;
use super::check::{Check, data_size, size};
use super::data::Data;
use super::error::ErrorInfo;
use super::ids::{ConnectionId, Timestamp};
use super::limits::Limits;

/// A member: one connection (P7.1).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Member {
    /// Who is behind it.
    pub client: String,
    /// The client's display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The connection.
    pub connection: ConnectionId,
    /// What the token calls the client.
    pub role: Role,
    /// What it tells of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// Since when it is there.
    pub since: Timestamp,
}

/// `presence.set` (P7.1).
#[derive(Debug, Deserialize)]
pub struct SetPresence {
    /// What the member tells of itself.
    pub data: Option<Data>,
}

/// `presence.leave` (P7.1).
#[derive(Debug, Deserialize)]
pub struct LeavePresence {}

impl Check for SetPresence {
    fn check(&self, verb: &str, limits: &Limits) -> Result<(), ErrorInfo> {
        let bytes = data_size(self.data.as_ref());
        size(verb, "data", bytes, limits.presence_bytes)
    }
}

impl Check for LeavePresence {
    fn check(&self, _: &str, _: &Limits) -> Result<(), ErrorInfo> {
        Ok(())
    }
}
