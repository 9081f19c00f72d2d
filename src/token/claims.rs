//! The claims of a token (P2.1): their form, and their times against the present.

use super::grant::Claims;
use super::only::OneThing;
use super::printable::{hidden_in, is_blank};
use super::refusal::{refused, unauthorized};
use crate::protocol::capability::{Capabilities, Operation, Operations, Role};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::fields::Fields;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::Limits;

/// How far the issuer's clock may be off, in milliseconds (P2.1).
pub const LEEWAY_MS: i64 = 30_000;

/// Characters of a client id (P2.1).
pub const CLIENT_LENGTH: usize = 128;

/// The last second of the year 9999. A time beyond it was not written in seconds.
const SECONDS_MAX: f64 = 253_402_300_799.0;

impl Claims {
    /// The same claims for the inbox of another client, which an administrator of every session
    /// reads (P10.1).
    ///
    /// # Errors
    /// `forbidden` without `admin` for the pattern `*`, `invalid-frame` where it is no client's id.
    pub fn in_place_of(self, verb: &str, client: &str) -> Result<Self, ErrorInfo> {
        self.check_rules(verb)?;
        if check_client(client).is_err() {
            let message = format!("unable to {verb}; client is no client's id");
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        }
        Ok(Self {
            client: client.to_owned(),
            ..self
        })
    }

    /// Refuses all but an administrator of every session, by what it would do.
    ///
    /// # Errors
    /// `forbidden` without `admin` for the pattern `*`.
    pub fn check_rules(&self, verb: &str) -> Result<(), ErrorInfo> {
        self.check_whole()?;
        let everywhere = self.capabilities.resolve("*");
        let everywhere = everywhere.unwrap_or(Operations::of(&[]));
        everywhere.require(Operation::Admin, verb, "*")
    }

    /// Reads the claims of a token whose signature was checked, at the time `now`. Unknown claims
    /// are ignored (P1.4).
    ///
    /// # Errors
    /// `unauthorized`, naming the claim and its mistake.
    pub fn read(json: &str, now: Timestamp, limits: &Limits) -> Result<Self, ErrorInfo> {
        let claims = Fields::part("authorize", "the token's claims", json).map_err(refused)?;
        let (expires_at, issued_at) = check_times(&claims, now)?;
        let client: Option<String> = claims.get("sub").map_err(refused)?;
        let client = client.ok_or_else(|| unauthorized("the token has no sub, the client's id"))?;
        check_client(&client).map_err(|wrong| unauthorized(&wrong))?;
        let name: Option<String> = claims.get("name").map_err(refused)?;
        let name = name.filter(|name| !name.is_empty());
        if let Some(name) = &name {
            check_name(name, limits.name_length).map_err(|wrong| unauthorized(&wrong))?;
        }
        Ok(Self {
            client,
            name,
            role: read_role(&claims)?,
            capabilities: read_capabilities(&claims)?,
            expires_at,
            issued_at,
            only: None,
        })
    }

    /// Reads the claims of a token that the deployment made itself, which may be good for one
    /// thing alone (P10.2, P11.7).
    ///
    /// # Errors
    /// As [`Claims::read`].
    pub fn read_own(json: &str, now: Timestamp, limits: &Limits) -> Result<Self, ErrorInfo> {
        let claims = Fields::part("authorize", "the token's claims", json).map_err(refused)?;
        let decide: Option<OneThing> = claims.get("decide").map_err(refused)?;
        let only = match decide {
            None => claims.get("read").map_err(refused)?,
            decide => decide,
        };
        Ok(Self {
            only,
            ..Self::read(json, now, limits)?
        })
    }
}

/// The issuer and the audience that a deployment requires, where it names them (P2.7).
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The value that `iss` must have.
    pub issuer: Option<String>,
    /// The value that `aud` must be or contain.
    pub audience: Option<String>,
}

impl Expected {
    /// Checks the claims of a token whose signature was checked.
    ///
    /// # Errors
    /// `unauthorized`, naming the claim.
    pub fn check(&self, json: &str) -> Result<(), ErrorInfo> {
        let claims = Fields::part("authorize", "the token's claims", json).map_err(refused)?;
        if let Some(issuer) = &self.issuer {
            let iss: Option<String> = claims.get("iss").map_err(refused)?;
            if iss.as_ref() != Some(issuer) {
                let wrong = "the token's iss is not an issuer of this deployment";
                return Err(unauthorized(wrong));
            }
        }
        if let Some(audience) = &self.audience
            && !names(&claims, audience).map_err(refused)?
        {
            return Err(unauthorized(
                "the token's aud does not name this deployment",
            ));
        }
        Ok(())
    }
}

/// Whether `aud` is one text, or several, with this one (RFC 7519 4.1.3).
fn names(claims: &Fields<'_>, wanted: &str) -> Result<bool, ErrorInfo> {
    if claims
        .raw("aud")
        .is_some_and(|aud| aud.get().starts_with('['))
    {
        let several: Vec<String> = claims.need("aud")?;
        return Ok(several.iter().any(|one| one == wanted));
    }
    let one: Option<String> = claims.get("aud")?;
    Ok(one.is_some_and(|one| one == wanted))
}

fn read_role(claims: &Fields<'_>) -> Result<Option<Role>, ErrorInfo> {
    let word: Option<String> = claims.get("role").map_err(refused)?;
    let Some(word) = word else { return Ok(None) };
    Role::parse(&word).map(Some).ok_or_else(|| {
        unauthorized(&format!(
            "the token's role is {word:?}; a role is user, agent or supervisor"
        ))
    })
}

fn read_capabilities(claims: &Fields<'_>) -> Result<Capabilities, ErrorInfo> {
    let Some(caps) = claims.object("caps").map_err(refused)? else {
        return Ok(Capabilities::default());
    };
    let read = |pattern: &str| Ok((pattern.to_owned(), caps.need(pattern).map_err(refused)?));
    let caps: Result<Vec<(String, Vec<String>)>, ErrorInfo> = caps.names().map(read).collect();
    Capabilities::parse(&caps?).map_err(|wrong| unauthorized(&format!("the token's {wrong}")))
}

/// Checks `exp`, `nbf` and `iat` (P2.1); returns when the token expires here, and when it was
/// issued.
fn check_times(claims: &Fields<'_>, now: Timestamp) -> Result<(Timestamp, Timestamp), ErrorInfo> {
    let exp = milliseconds(claims, "exp")?;
    let exp = exp.ok_or_else(|| unauthorized("the token has no exp, its expiry"))?;
    let (nbf, iat) = (milliseconds(claims, "nbf")?, milliseconds(claims, "iat")?);
    if exp.saturating_add(LEEWAY_MS) <= now {
        let ago = seconds(now.saturating_sub(exp));
        return Err(unauthorized(&format!("the token expired {ago} s ago")));
    }
    for (claim, verb) in [(nbf, "is not valid before"), (iat, "was issued at")] {
        if let Some(at) = claim.filter(|at| at.saturating_sub(LEEWAY_MS) > now) {
            let ahead = seconds(at.saturating_sub(now));
            let wrong = format!("the token {verb} a time {ahead} s from now");
            return Err(unauthorized(&wrong));
        }
    }
    let expires_at = match exp > now {
        true => exp,
        false => exp.saturating_add(LEEWAY_MS),
    };
    Ok((expires_at, iat.unwrap_or(0)))
}

fn milliseconds(claims: &Fields<'_>, name: &str) -> Result<Option<Timestamp>, ErrorInfo> {
    let claim: Option<f64> = claims.get(name).map_err(refused)?;
    let Some(seconds) = claim else {
        return Ok(None);
    };
    if !(0.0..=SECONDS_MAX).contains(&seconds) {
        return Err(unauthorized(&format!(
            "the token's {name} is {seconds}, which is not seconds since 1970"
        )));
    }
    Ok(Some((seconds * 1000.0) as Timestamp))
}

const fn seconds(milliseconds: i64) -> i64 {
    milliseconds / 1000
}

pub(crate) fn check_client(client: &str) -> Result<(), String> {
    let length = client.chars().count();
    if length == 0 || length > CLIENT_LENGTH {
        return Err(format!(
            "the token's sub has {length} characters; it needs 1 to 128"
        ));
    }
    check_printable("sub", client)?;
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
    check_printable("name", name)
}

/// Invisible characters would let one client pass for another.
fn check_printable(claim: &str, text: &str) -> Result<(), String> {
    match hidden_in(text) {
        Some(hidden) => Err(format!(
            "the token's {claim} has the character {hidden:?}, which is not printable"
        )),
        None if is_blank(text) => Err(format!("the token's {claim} is blank")),
        None => Ok(()),
    }
}
