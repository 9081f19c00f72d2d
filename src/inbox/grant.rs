//! The permissions of a token in an inbox.

use serde::Serialize;

use crate::protocol::capability::{Capabilities, Role};
use crate::protocol::ids::Timestamp;
use crate::protocol::object::read_fields;

/// The sessions that a token may see, and its role in each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sight {
    /// Its operations, by session pattern.
    pub capabilities: Capabilities,
    /// Its role everywhere, if it says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

read_fields!(Sight { capabilities, role });

/// A token's permissions in an inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The client's id.
    pub client: String,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When its token was issued; 0 where that does not say.
    pub issued_at: Timestamp,
    /// The sessions that it may see.
    pub sight: Sight,
}

read_fields!(Grant {
    client,
    expires_at as "expiresAt",
    issued_at as "issuedAt": or_default,
    sight,
});

impl Grant {
    /// The grant by which sessions tell an inbox of themselves.
    pub fn of_session() -> Self {
        Self {
            client: String::new(),
            expires_at: Timestamp::MAX,
            issued_at: Timestamp::MAX,
            sight: Sight::default(),
        }
    }
}
