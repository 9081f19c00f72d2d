//! Revocation of tokens (P11.5): the words of those who revoke, and between objects.

use serde::Serialize;

use super::error::{ErrorCode, ErrorInfo};
use super::ids::{Timestamp, check_session_id};
use super::object::read_fields;

/// Characters of a client's id (P2.1).
const CLIENT_LENGTH: usize = 128;
/// The parameter of the list of revocations.
pub(super) const LIST: &[&str] = &["after"];
/// The name of the object, in the class of inboxes, that keeps them. No inbox is named so: theirs
/// begin with `client:` or `role:`.
pub const REVOCATIONS: &str = "revocations";

/// Tokens that are refused: of a client, for a session, or of that client for that session. The
/// same words ask for a revocation, and tell an inbox of a session that its client came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Revocation {
    /// The client whose tokens they are; everybody's if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The session that they are refused for; every session if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The time before which they were issued; 0 in what is asked stands for now.
    pub before: Timestamp,
    /// When it was made: each of the list has another time; 0 elsewhere.
    #[serde(skip_serializing_if = "is_zero")]
    pub at: Timestamp,
}

read_fields!(Revocation {
    client,
    session,
    before: or_default,
    at: or_default,
});

const fn is_zero(at: &Timestamp) -> bool {
    *at == 0
}

impl Revocation {
    /// Whether it is about a token of this client, issued at this time. Its session is for others
    /// to judge, where the token is used.
    pub fn is_of(&self, client: &str, issued_at: Timestamp) -> bool {
        let is_meant = self.client.as_ref().is_none_or(|meant| meant == client);
        is_meant && issued_at < self.before
    }

    /// The revocation that is asked for at this time; `leeway_ms` is how far the asking clock may
    /// be ahead.
    ///
    /// # Errors
    /// `invalid-frame`, by name.
    pub fn asked(self, now: Timestamp, leeway_ms: i64) -> Result<Self, ErrorInfo> {
        if self.client.is_none() && self.session.is_none() {
            return Err(refused("it needs a client or a session"));
        }
        let length = self.client.as_ref().map_or(1, |id| id.chars().count());
        if length == 0 || CLIENT_LENGTH < length {
            return Err(refused("client is no client's id"));
        }
        if let Some(session) = &self.session {
            check_session_id(session)?;
        }
        if self.before < 0 || now.saturating_add(leeway_ms) < self.before {
            return Err(refused("before is a time that has come, in milliseconds"));
        }
        let before = if self.before == 0 { now } else { self.before };
        Ok(Self { before, ..self })
    }
}

fn refused(wrong: &str) -> ErrorInfo {
    let message = format!("unable to revoke; {wrong}");
    ErrorInfo::new(ErrorCode::InvalidFrame, message)
}
