//! Ids of sessions and connections, and points in time.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::rc::Rc;

use super::error::{ErrorCode, ErrorInfo};

/// Milliseconds since the Unix epoch (P1.3).
pub type Timestamp = i64;

/// So many milliseconds after a time.
pub(crate) fn after(at: Timestamp, wait_ms: u64) -> Timestamp {
    at.saturating_add(Timestamp::try_from(wait_ms).unwrap_or(Timestamp::MAX))
}

/// Longest session id in characters (P1.1).
pub const SESSION_ID_LENGTH: usize = 128;

/// Checks a session id from an address, already percent-decoded (P1.1).
///
/// # Errors
/// `invalid-session` if it is not 1–128 of `A–Z a–z 0–9 . _ : ~ -`.
pub fn check_session_id(id: &str) -> Result<(), ErrorInfo> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:~-".contains(&byte);
    if !id.is_empty() && id.len() <= SESSION_ID_LENGTH && id.bytes().all(allowed) {
        return Ok(());
    }
    Err(ErrorInfo::new(
        ErrorCode::InvalidSession,
        "unable to open the session; its id is not 1 to 128 of A-Z a-z 0-9 . _ : ~ -",
    ))
}

/// The id of one attached WebSocket or stream, made by the platform on accept. Everything in
/// flight carries one, so a copy must be cheap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId(Rc<str>);

impl ConnectionId {
    /// The prefix of connections that carry one streamed HTTP body (P5.5). The message keeps
    /// the id, which shows a body that died with its process.
    pub const BODY_PREFIX: &'static str = "body-";

    /// Wraps an id that the platform drew at random.
    pub fn new(id: impl Into<Rc<str>>) -> Self {
        Self(id.into())
    }

    /// Whether this connection carries one streamed HTTP body (P5.5).
    pub fn is_body(&self) -> bool {
        self.0.starts_with(Self::BODY_PREFIX)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for ConnectionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ConnectionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
