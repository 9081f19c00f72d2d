//! A message: the unit of the log (P4.1).

use serde::Serialize;
use std::collections::BTreeMap;

use super::data::Data;
use super::ids::{ConnectionId, Timestamp};
use super::object::words;
use super::serial::Serial;

/// The name of a message without one.
pub const DEFAULT_NAME: &str = "message";

/// A flat map of text sent with a message.
pub type Headers = BTreeMap<String, String>;

/// Headers as JSON, for the wire and for rows.
pub fn as_json(headers: &Headers) -> String {
    // A map of text always serialises.
    serde_json::to_string(headers).unwrap_or_default()
}

/// The role in which a message speaks. All but `user` need `turn` or `edit` (P4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Somebody who talks to an agent.
    #[default]
    User,
    /// The agent.
    Assistant,
    /// The application's instructions.
    System,
    /// A tool that the agent used.
    Tool,
}

words!(Role {
    User = "user",
    Assistant = "assistant",
    System = "system",
    Tool = "tool",
});

/// The progress of a streamed message; only a streaming one takes appends (P5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It still grows.
    Streaming,
    /// It is finished.
    Complete,
    /// It was stopped on purpose.
    Cancelled,
    /// It broke off.
    Failed,
}

words!(Status {
    Streaming = "streaming",
    Complete = "complete",
    Cancelled = "cancelled",
    Failed = "failed",
});

/// A message, whole. Absent fields are left out on the wire.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its place in the log.
    pub serial: Serial,
    /// The serial of its latest change.
    pub version: Serial,
    /// The client's own id (P4.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The application's event name.
    pub name: String,
    /// The client that created it.
    pub client: String,
    /// The connection it came over; absent for a single HTTP request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    /// The role in which it speaks.
    pub role: Role,
    /// The turn that it belongs to (P6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<String>,
    /// The message that it follows (P6.9).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Serial>,
    /// Its content; absent once it is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// The sender's headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Headers>,
    /// Its progress; absent if it never streamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The highest `seq` of its appends (P5.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The sums of its annotations (P9.3); absent if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Box<Data>>,
    /// When it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}
