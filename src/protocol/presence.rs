//! Presence: connections announced in the session (P7).

use serde::Serialize;

use super::capability::Role;
use super::data::Data;
use super::error::ErrorInfo;
use super::fields::{Fields, FromFields};
use super::ids::{ConnectionId, Timestamp};
use super::limits::Limits;
use super::size::size;

/// A member: one connection (P7.1).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Member {
    /// Its client.
    pub client: String,
    /// The client's display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The connection.
    pub connection: ConnectionId,
    /// The client's role.
    pub role: Role,
    /// The data that it announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// When it entered.
    pub since: Timestamp,
}

/// `presence.set` (P7.1).
#[derive(Debug)]
pub struct SetPresence {
    /// The data to announce.
    pub data: Option<Data>,
}

/// `presence.leave` (P7.1).
#[derive(Debug)]
pub struct LeavePresence {}

impl FromFields for SetPresence {
    fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Self, ErrorInfo> {
        let data: Option<Data> = fields.get("data")?;
        let bytes = data.as_ref().map(Data::bytes);
        size(fields.verb(), "data", bytes, limits.presence_bytes())?;
        Ok(Self { data })
    }
}

impl FromFields for LeavePresence {
    fn read(_: &Fields<'_>, _: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {})
    }
}
