//! The claims of a token, and its grant in one session (P2.1, P2.2).

use serde::Serialize;

use super::only::OneThing;
use crate::protocol::capability::{Capabilities, Operation, Operations, Role};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::Timestamp;
use crate::protocol::object::read_fields;

/// The claims of a valid token, for all sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The client's id, `sub`.
    pub client: String,
    /// Its display name.
    pub name: Option<String>,
    /// Its role, if the token has one.
    pub role: Option<Role>,
    /// Its operations, by session pattern.
    pub capabilities: Capabilities,
    /// When the token expires; if it was accepted within the leeway, when that ends.
    pub expires_at: Timestamp,
    /// When the token was issued; 0 where it does not say (P11.5).
    pub issued_at: Timestamp,
    /// The one thing that it is good for, and for nothing else (P10.2, P11.7).
    pub only: Option<OneThing>,
}

/// A client's identity and operations in one session, stored with its connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The client's id.
    pub client: String,
    /// Its display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its role in presence and the log.
    pub role: Role,
    /// Its operations in this session.
    pub operations: Operations,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When its token was issued; 0 where that does not say.
    pub issued_at: Timestamp,
}

read_fields!(Grant {
    client,
    name,
    role,
    operations,
    expires_at as "expiresAt",
    issued_at as "issuedAt": or_default,
});

impl Grant {
    /// The grant by which other objects of the deployment tell a session something.
    pub fn of_deployment() -> Self {
        Self {
            client: String::new(),
            name: None,
            role: Role::User,
            operations: Operations::of(&[Operation::Admin]),
            expires_at: Timestamp::MAX,
            issued_at: Timestamp::MAX,
        }
    }
}

impl Claims {
    /// The grant of these claims in one session.
    ///
    /// # Errors
    /// `forbidden` if no pattern in the token's `caps` matches it (P2.2), or the token is good for
    /// one thing alone.
    pub fn grant(&self, session: &str) -> Result<Grant, ErrorInfo> {
        self.check_whole()?;
        let operations = self.capabilities.resolve(session);
        let Some(operations) = operations.filter(|operations| !operations.is_empty()) else {
            let wrong = format!(
                "unable to authorize; the token grants no operation for session {session}, \
                 not even read: {}",
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
            issued_at: self.issued_at,
        })
    }

    /// The role that the token says itself, or that its `caps` name where that is more than `user`:
    /// its inbox is read with the client's own (P15.1).
    pub fn said_role(&self) -> Option<Role> {
        let named = self.capabilities.strongest();
        self.role.or((named != Role::User).then_some(named))
    }

    /// The token's role wherever it may do something: what it says itself, else the strongest
    /// that its `caps` name, else `user` (P15.1).
    pub fn role(&self) -> Role {
        self.role.unwrap_or_else(|| self.capabilities.strongest())
    }
}
