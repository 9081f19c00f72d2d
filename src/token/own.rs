//! Tokens that the deployment makes itself: for a session, for one decision, for one file (P2.8,
//! P10.2, P11.7).

use serde_json::json;

use super::grant::{Claims, Grant};
use crate::protocol::capability::{Operation, Operations, Role};
use crate::protocol::error::ErrorInfo;
use crate::protocol::ids::Timestamp;
use crate::protocol::routes::Route;

/// The `kid` of these tokens. No key of an owner or an issuer may have it.
pub const OWN_KID: &str = "sessile:own";
/// Their issuer, whatever `SESSILE_ISSUER` is.
const ISSUER: &str = "sessile";
/// The one address of a token for a decision.
const DECIDE: (&str, &str) = ("POST", "/v1/sessions/{session}/approvals/{approval}/decide");
/// The one address of a token for a file.
const FILE: (&str, &str) = ("GET", "/v1/sessions/{session}/files/{file}");

/// The claims of a token for one session, as JSON: `words` are operations or roles, as in `caps`.
/// It is issued `now` and valid until `expires_at`, rounded down to seconds.
pub fn session_claims(
    session: &str,
    client: &str,
    role: Role,
    words: &[&str],
    now: Timestamp,
    expires_at: Timestamp,
) -> String {
    let (iat, exp, role) = (seconds(now), expires_at / 1000, role.as_str());
    let claims = json!({
        "iss": ISSUER, "sub": client, "iat": iat, "exp": exp, "role": role,
        "caps": { session: words },
    });
    claims.to_string()
}

/// The claims of a token by which a client decides one approval and does nothing else, as JSON.
pub fn decide_claims(
    session: &str,
    client: &str,
    approval: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> String {
    let (iat, exp) = (seconds(now), expires_at / 1000);
    let decide = json!({ "session": session, "approval": approval });
    json!({ "iss": ISSUER, "sub": client, "iat": iat, "exp": exp, "decide": decide }).to_string()
}

/// A time in seconds, to the millisecond: a revocation is as exact (P11.5).
fn seconds(at: Timestamp) -> f64 {
    at as f64 / 1000.0
}

impl Claims {
    /// The grant of these claims at an address of a session, with the values of its parameters.
    ///
    /// # Errors
    /// As [`Claims::grant`]. A token for one thing is `forbidden` at every other address.
    pub fn grant_at(&self, route: &Route, params: &[String]) -> Result<Grant, ErrorInfo> {
        let session = params.first().map_or("", String::as_str);
        let Some(only) = &self.only else {
            return self.grant(session);
        };
        let (address, id, operation) = match (&only.approval, &only.file) {
            (Some(approval), None) => (DECIDE, approval, Operation::Approve),
            (None, Some(file)) => (FILE, file, Operation::Read),
            _ => return Err(only.forbidden()),
        };
        let asked = [only.session.as_str(), id.as_str()];
        if (route.method, route.path) != address || *params != asked {
            return Err(only.forbidden());
        }
        Ok(Grant {
            client: self.client.clone(),
            name: None,
            role: Role::User,
            operations: Operations::of(&[operation]),
            expires_at: self.expires_at,
            issued_at: self.issued_at,
        })
    }

    /// Refuses a token that is good for one thing alone.
    ///
    /// # Errors
    /// `forbidden`, naming that.
    pub fn check_whole(&self) -> Result<(), ErrorInfo> {
        let only = self.only.as_ref();
        only.map_or(Ok(()), |only| Err(only.forbidden()))
    }
}
