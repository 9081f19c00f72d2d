//! The words of the inbox (P15), as far as it is built.

use serde::{Deserialize, Serialize};

use super::capability::Role;
use super::error::{ErrorCode, ErrorInfo};
use super::ids::{ConnectionId, Timestamp};
use super::limits::Limits;
use super::query::{self, Pairs};
use super::serial::Serial;

/// The parameters that say whose inbox is meant.
pub(super) const OWNER: &[&str] = &["role"];
/// The same of a connection.
pub(super) const ATTACH: &[&str] = &["role", "since"];

/// The HTTP requests of an inbox.
#[derive(Debug)]
pub enum Request {
    /// `GET /v1/inbox` (P15.1).
    Read,
    /// An invalid one.
    Refused(ErrorInfo),
}

/// How a connection wants to be served (P15.2).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Attach {
    /// The position to resume after. Until there is something in an inbox, all of it is sent.
    pub since: Option<String>,
}

/// Reads the query of `connect`.
pub fn attach(pairs: &Pairs) -> Attach {
    let since = query::find(pairs, "since").filter(|since| !since.is_empty());
    Attach {
        since: since.map(query::position),
    }
}

/// The role whose inbox is meant; the client's own where there is none (P15.1).
///
/// # Errors
/// `invalid-frame`, naming the roles there are.
pub fn role(pairs: &Pairs) -> Result<Option<Role>, ErrorInfo> {
    let Some(word) = query::find(pairs, "role") else {
        return Ok(None);
    };
    let refused = || {
        let shown: String = word.chars().take(40).collect();
        let message =
            format!("unable to read the inbox; role is user, agent or supervisor, not {shown:?}");
        ErrorInfo::new(ErrorCode::InvalidFrame, message)
    };
    Role::parse(word).map(Some).ok_or_else(refused)
}

/// Everything in an inbox (P15.1). There is nothing yet: sessions do not tell it.
#[derive(Debug, Serialize)]
pub struct Content {
    /// Sessions of the client.
    pub sessions: [(); 0],
    /// Approvals that wait for it.
    pub approvals: [(); 0],
    /// Tool calls that wait for it.
    pub calls: [(); 0],
    /// Inputs that wait for it (P10.3).
    pub work: [(); 0],
    /// Up to here a reader has everything.
    pub serial: Serial,
}

/// The frames of an inbox.
#[derive(Debug, Serialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Frame<'a> {
    /// The inbox as of now (P15.2).
    Inbox {
        /// The version of the protocol.
        protocol: u32,
        /// Its owner: `client:ID` or `role:NAME`.
        inbox: &'a str,
        /// This connection.
        connection: &'a ConnectionId,
        /// The client behind it.
        client: &'a str,
        /// When its token expires (P2.6).
        expires_at: Timestamp,
        /// The inbox's clock.
        at: Timestamp,
        /// The bounds that hold (P14).
        limits: &'a Limits,
        /// Its content.
        #[serde(flatten)]
        content: Content,
    },
}

impl Frame<'_> {
    /// The frame as JSON.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
