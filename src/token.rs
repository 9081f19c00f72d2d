//! Who a client is and what it may do (P2): a JWT in, a [`Grant`] out.
//!
//! The library `jsonwebtoken` reads JWTs and keys; the rules about them are here.
//! Pure: keys and time come in. The Worker checks a token before it wakes a session (P2.5), the
//! session checks the fresh one of an `auth` frame (P2.6), both with this code.

mod claims;
mod jwk;
mod keys;
mod provider;

use jsonwebtoken::decode_header;
use jsonwebtoken::errors::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

pub use self::claims::{CLIENT_LENGTH, LEEWAY_MS};
pub use self::keys::Keys;
use crate::protocol::capability::{Capabilities, Operations, Role};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::Limits;

/// Room for the header and the signature of a token besides its claims, in bytes. The longest
/// signature, RSA with 4096 bits, takes 683.
const ENVELOPE_BYTES: u64 = 4 * 1024;

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

impl Keys {
    /// Checks a token at the time `now`: its signature first, then what it says.
    ///
    /// # Errors
    /// `unauthorized`, naming what is wrong; `not-configured` if there is no key (P2.7).
    pub fn verify(
        &self,
        token: &str,
        now: Timestamp,
        limits: &Limits,
    ) -> Result<Claims, ErrorInfo> {
        if self.is_empty() {
            return Err(ErrorInfo::new(
                ErrorCode::NotConfigured,
                "unable to authorize; no key is configured, set SESSILE_SIGNING_KEY, \
                 SESSILE_KEYS or SESSILE_JWKS_URL",
            ));
        }
        self.read(token, now, limits)
            .map_err(|wrong| refuse(ErrorCode::Unauthorized, "authorize", &wrong))
    }

    /// The `kid` of a token whose key is not among these. Keys that were fetched may be fetched
    /// anew for it: whoever signs may have changed them.
    pub fn missing_kid(&self, token: &str) -> Option<String> {
        let kid = decode_header(token).ok()?.kid?;
        (!self.has(&kid)).then_some(kid)
    }

    fn read(&self, token: &str, now: Timestamp, limits: &Limits) -> Result<Claims, String> {
        check_size(token, limits)?;
        let header = decode_header(token).map_err(|error| describe(&error, "header"))?;
        if let Some(crit) = header.crit {
            let names = crit.join(", ");
            return Err(format!(
                "the token's header says crit ({names}), which is not supported"
            ));
        }
        let (key, name) = self.find(header.kid.as_deref())?;
        if header.alg != key.algorithm {
            let (alg, right) = (header.alg, key.algorithm);
            return Err(format!(
                "the token's alg is {alg:?}, but {name} is for {right:?}"
            ));
        }
        let json = key.open(token).map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => format!("the token's signature is not by {name}"),
            _ => describe(&error, "claims"),
        })?;
        claims::check(json.get(), now, limits)
    }
}

impl Claims {
    /// What these claims allow in one session.
    ///
    /// # Errors
    /// `forbidden` if no pattern in the token's `caps` matches it (P2.2).
    pub fn grant(&self, session: &str) -> Result<Grant, ErrorInfo> {
        let Some(operations) = self.capabilities.resolve(session) else {
            let wrong = format!(
                "the token lacks every operation for session {session}, even read: \
                 no pattern in its caps matches"
            );
            return Err(refuse(ErrorCode::Forbidden, "attach", &wrong));
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

fn refuse(code: ErrorCode, action: &str, wrong: &str) -> ErrorInfo {
    ErrorInfo::new(code, format!("unable to {action}; {wrong}"))
}

/// Bounds what is read, before anything is.
fn check_size(token: &str, limits: &Limits) -> Result<(), String> {
    // Base64 takes four bytes for three.
    let longest = ENVELOPE_BYTES.saturating_add(limits.claims_bytes.saturating_mul(4) / 3);
    if token.len() as u64 > longest {
        let length = token.len();
        return Err(format!(
            "the token takes {length} bytes, the most is {longest}"
        ));
    }
    let claims = token.split('.').nth(1).unwrap_or_default();
    let (bytes, most) = (claims.len() as u64 * 3 / 4, limits.claims_bytes);
    if bytes > most {
        return Err(format!(
            "the token's claims take {bytes} bytes, claimsBytes is {most}"
        ));
    }
    Ok(())
}

/// Why the library could not read a token, `part` being what was to become JSON.
fn describe(error: &Error, part: &str) -> String {
    match error.kind() {
        ErrorKind::InvalidToken | ErrorKind::Base64(_) => {
            "the token is not a JWT: three parts of base64url without padding, with dots between"
                .into()
        }
        ErrorKind::Json(wrong) => format!("the token's {part} cannot be read: {wrong}"),
        _ => format!("the token cannot be checked: {error}"),
    }
}
