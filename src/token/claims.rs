//! What a token says (P2.1): the form of its claims, and their times against the present.

use serde::Deserialize;
use std::collections::BTreeMap;

use super::Claims;
use crate::protocol::capability::{Capabilities, Role};
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::Limits;

/// How far the clock of whoever signs may be off, in milliseconds (P2.1).
pub const LEEWAY_MS: i64 = 30_000;

/// Characters of a client id (P2.1).
pub const CLIENT_LENGTH: usize = 128;

/// The last second of the year 9999. A time beyond it was not written in seconds.
const SECONDS_MAX: f64 = 253_402_300_799.0;

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

/// Reads claims. Serde would take an array of them in order as well as an object.
fn read(json: &str) -> Result<RawClaims, String> {
    if !json.starts_with('{') {
        return Err("the token's claims are not a JSON object".into());
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| format!("the token's claims cannot be read: {error}"))
}

/// Checks claims at the time `now`.
///
/// # Errors
/// The words that name the claim and say what is wrong with it.
pub(super) fn check(json: &str, now: Timestamp, limits: &Limits) -> Result<Claims, String> {
    let raw = read(json)?;
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
