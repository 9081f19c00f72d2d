//! Who a client is and what it may do (P2): a JWT in, a [`Grant`] out.
//!
//! Pure: keys and time come in. The Worker checks a token before it wakes a session (P2.5), the
//! session checks the fresh one of an `auth` frame (P2.6), both with this code.

mod keys;
mod signature;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use self::keys::Keys;
use crate::protocol::capability::{Capabilities, Operations, Role};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::Limits;

/// How far the clock of whoever signs may be off, in milliseconds (P2.1).
pub const LEEWAY_MS: i64 = 30_000;

/// Characters of a client id (P2.1).
pub const CLIENT_LENGTH: usize = 128;

/// The last second of the year 9999. A time beyond it was not written in seconds.
const SECONDS_MAX: f64 = 253_402_300_799.0;

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

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Vec<String>>,
}

/// The claims as they stand in a token. Others are ignored (P1.4).
#[derive(Deserialize)]
struct RawClaims {
    sub: Option<String>,
    exp: Option<f64>,
    nbf: Option<f64>,
    iat: Option<f64>,
    name: Option<String>,
    role: Option<String>,
    #[serde(default)]
    caps: BTreeMap<String, Vec<String>>,
}

/// The parts of a token, none of them checked yet.
struct Parts<'a> {
    signed: &'a str,
    header: Header,
    claims: &'a str,
    signature: Vec<u8>,
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
        let kid = split(token).ok()?.header.kid?;
        (!self.has(&kid)).then_some(kid)
    }

    fn read(&self, token: &str, now: Timestamp, limits: &Limits) -> Result<Claims, String> {
        // Base64 takes four bytes for three.
        let longest = ENVELOPE_BYTES.saturating_add(limits.claims_bytes.saturating_mul(4) / 3);
        if token.len() as u64 > longest {
            let length = token.len();
            return Err(format!(
                "the token takes {length} bytes, the most is {longest}"
            ));
        }
        let parts = split(token)?;
        if let Some(crit) = parts.header.crit {
            let names = crit.join(", ");
            return Err(format!(
                "the token's header says crit ({names}), which is not supported"
            ));
        }
        let kid = parts.header.kid.as_deref();
        self.check(
            kid,
            &parts.header.alg,
            parts.signed.as_bytes(),
            &parts.signature,
        )?;
        let json = decode(parts.claims, "claims")?;
        if json.len() as u64 > limits.claims_bytes {
            let (bytes, most) = (json.len(), limits.claims_bytes);
            return Err(format!(
                "the token's claims take {bytes} bytes, claimsBytes is {most}"
            ));
        }
        check_claims(read_object(&json, "claims")?, now, limits)
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

fn split(token: &str) -> Result<Parts<'_>, String> {
    let malformed = || "the token is not a JWT: three parts of base64url with dots between";
    let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
    let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
    if claims.contains('.') {
        return Err(malformed().into());
    }
    let json = decode(header, "header")?;
    let header = read_object(&json, "header")?;
    let signature = decode(signature, "signature")?;
    Ok(Parts {
        signed,
        header,
        claims,
        signature,
    })
}

fn decode(part: &str, what: &str) -> Result<Vec<u8>, String> {
    let decoded = URL_SAFE_NO_PAD.decode(part);
    decoded.map_err(|_| format!("the token's {what} is not base64url without padding"))
}

/// Reads a JSON object. Serde would take an array of the fields in order as well.
fn read_object<T: DeserializeOwned>(json: &[u8], what: &str) -> Result<T, String> {
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(format!("the token's {what} is not a JSON object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(json);
    let read = serde_path_to_error::deserialize(&mut reader).map_err(|error| error.to_string());
    let ended = |value| {
        reader
            .end()
            .map(|()| value)
            .map_err(|error| error.to_string())
    };
    read.and_then(ended)
        .map_err(|wrong| format!("the token's {what} cannot be read: {wrong}"))
}

fn check_claims(raw: RawClaims, now: Timestamp, limits: &Limits) -> Result<Claims, String> {
    let expires_at = check_times(&raw, now)?;
    let client = raw.sub.ok_or("the token has no sub, the client's id")?;
    check_client(&client)?;
    let name = raw.name.filter(|name| !name.is_empty());
    if let Some(name) = &name {
        check_name(name, limits.name_length)?;
    }
    let role = match raw.role.as_deref() {
        None => None,
        Some(word) => Some(Role::parse(word).ok_or_else(|| {
            format!("the token's role is {word:?}; a role is user, agent or supervisor")
        })?),
    };
    let capabilities =
        Capabilities::parse(&raw.caps).map_err(|wrong| format!("the token's {wrong}"))?;
    Ok(Claims {
        client,
        name,
        role,
        capabilities,
        expires_at,
    })
}

/// Checks `exp`, `nbf` and `iat` (P2.1); tells until when the token serves.
fn check_times(raw: &RawClaims, now: Timestamp) -> Result<Timestamp, String> {
    let exp = milliseconds(raw.exp, "exp")?.ok_or("the token has no exp, when it expires")?;
    let (nbf, iat) = (milliseconds(raw.nbf, "nbf")?, milliseconds(raw.iat, "iat")?);
    if exp.saturating_add(LEEWAY_MS) <= now {
        let ago = seconds(now.saturating_sub(exp));
        return Err(format!("the token expired {ago} s ago"));
    }
    for (claim, what) in [(nbf, "is not valid before"), (iat, "was issued at")] {
        if let Some(at) = claim.filter(|at| at.saturating_sub(LEEWAY_MS) > now) {
            let ahead = seconds(at.saturating_sub(now));
            return Err(format!("the token {what} a time {ahead} s from now"));
        }
    }
    Ok(if exp > now {
        exp
    } else {
        exp.saturating_add(LEEWAY_MS)
    })
}

fn milliseconds(claim: Option<f64>, name: &str) -> Result<Option<Timestamp>, String> {
    let Some(seconds) = claim else {
        return Ok(None);
    };
    if !(0.0..=SECONDS_MAX).contains(&seconds) {
        return Err(format!(
            "the token's {name} is {seconds}, which is not seconds since 1970"
        ));
    }
    Ok(Some((seconds * 1000.0) as Timestamp))
}

const fn seconds(milliseconds: i64) -> i64 {
    milliseconds / 1000
}

fn check_client(client: &str) -> Result<(), String> {
    let length = client.chars().count();
    if length == 0 || length > CLIENT_LENGTH {
        return Err(format!(
            "the token's sub has {length} characters; it needs 1 to 128"
        ));
    }
    if let Some(character) = client.chars().find(|character| !is_printable(*character)) {
        return Err(format!(
            "the token's sub has the character {character:?}, not a printable one"
        ));
    }
    if client.starts_with("role:") {
        return Err("the token's sub begins with role:, which names a role, not a client".into());
    }
    Ok(())
}

fn check_name(name: &str, most: u64) -> Result<(), String> {
    let length = name.chars().count();
    if length as u64 > most {
        return Err(format!(
            "the token's name has {length} characters, nameLength is {most}"
        ));
    }
    match name.chars().find(|character| character.is_control()) {
        None => Ok(()),
        Some(control) => Err(format!("the token's name has the character {control:?}")),
    }
}

/// Whether a character shows. Those that hide or turn text around would let one client pass
/// for another. Joiners belong to scripts and emoji.
fn is_printable(character: char) -> bool {
    let hides = matches!(
        character,
        '\u{ad}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
    );
    !character.is_control() && !hides
}
