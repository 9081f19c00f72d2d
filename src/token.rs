//! Who a client is and what it may do (P2): a JWT in, a [`Grant`] out.
//!
//! Pure: keys, time and what the platform found of a signature come in. The Worker checks a token
//! before it wakes a session (P2.5), the session checks the fresh one of an `auth` frame (P2.6),
//! both in these steps: [`check_size`], [`Header::read`], [`Keys::find`], the platform's look at
//! the signature, [`Claims::read`], [`Claims::grant`].

mod algorithm;
mod claims;
mod header;
mod jwk;
mod keys;
mod printable;

use serde::{Deserialize, Serialize};

pub use self::algorithm::Algorithm;
pub use self::claims::{CLIENT_LENGTH, Expected, LEEWAY_MS};
pub use self::header::{Header, check_size};
pub use self::keys::{Key, Keys};
use crate::protocol::capability::{Capabilities, Operations, Role};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::Timestamp;

/// What a token that holds says about a client, for all sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The client's id, `sub`.
    pub client: String,
    /// Its display name.
    pub name: Option<String>,
    /// Its role, if the token says one.
    pub role: Option<Role>,
    /// What it may do, and where.
    pub capabilities: Capabilities,
    /// Until when the token serves. One taken within the leeway serves until the leeway ends.
    pub expires_at: Timestamp,
}

/// What a client is and may do in one session. Kept with its connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The client's id.
    pub client: String,
    /// Its display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What presence and the log call it.
    pub role: Role,
    /// What it may do in this session.
    pub operations: Operations,
    /// Until when.
    pub expires_at: Timestamp,
}

impl Claims {
    /// What these claims allow in one session.
    ///
    /// # Errors
    /// `forbidden` if no pattern in the token's `caps` matches it (P2.2).
    pub fn grant(&self, session: &str) -> Result<Grant, ErrorInfo> {
        let operations = self.capabilities.resolve(session);
        let Some(operations) = operations.filter(|operations| !operations.is_empty()) else {
            let wrong = format!(
                "unable to attach; the token lacks every operation for session {session}, \
                 even read: {}",
                self.capabilities.patterns()
            );
            return Err(ErrorInfo::new(ErrorCode::Forbidden, wrong));
        };
        Ok(Grant {
            client: self.client.clone(),
            name: self.name.clone(),
            role: self.role.unwrap_or_else(|| self.capabilities.role(session)),
            operations,
            expires_at: self.expires_at,
        })
    }
}

impl Claims {
    /// The token's role wherever it may do something: what it says itself, else the strongest
    /// that its `caps` name, else `user` (P15.1).
    pub fn role(&self) -> Role {
        self.role.unwrap_or_else(|| self.capabilities.strongest())
    }
}

/// The refusal of a token (P2.5).
pub fn unauthorized(wrong: &str) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::Unauthorized,
        format!("unable to authorize; {wrong}"),
    )
}

/// A part of a token that cannot be read.
fn refused(error: ErrorInfo) -> ErrorInfo {
    ErrorInfo::new(ErrorCode::Unauthorized, error.message)
}
