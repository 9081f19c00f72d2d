//! The permissions of a token in an inbox.

use serde::{Deserialize, Serialize};

use crate::protocol::capability::{Capabilities, Role};
use crate::protocol::ids::Timestamp;

/// The sessions that a token may see, and its role in each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// Its operations, by session pattern.
    pub capabilities: Capabilities,
    /// Its role everywhere, if it says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// A token's permissions in an inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The client's id.
    pub client: String,
    /// When it expires.
    pub expires_at: Timestamp,
    /// The sessions that it may see.
    pub sight: Sight,
}

impl Grant {
    /// The grant by which sessions tell an inbox of themselves.
    pub fn of_session() -> Self {
        Self {
            client: String::new(),
            expires_at: Timestamp::MAX,
            sight: Sight::default(),
        }
    }
}
