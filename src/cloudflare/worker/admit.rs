//! Admission by token (P2.4, P2.5), before any object is woken.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use worker::Env;
use worker::web_sys::Request;

use super::refuse::offered;
use crate::cloudflare::call::{as_json, failed};
use crate::cloudflare::platform::config::{Config, INBOXES, SESSIONS};
use crate::cloudflare::platform::env::not_configured;
use crate::cloudflare::revoked;
use crate::inbox::{Grant, Inbox, address};
use crate::machine::Machine;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::{Timestamp, check_session_id};
use crate::protocol::revocation::REVOCATIONS;
use crate::protocol::routes::{Resource, Route};
use crate::protocol::{device, inbox, query};
use crate::token::Claims;

/// The prefix of the subprotocol that carries a token (P2.4).
const TOKEN_PROTOCOL: &str = "sessile.token.";

/// An object: the binding of its class, its name there, and its kind.
pub(super) struct Place {
    pub(super) binding: &'static str,
    pub(super) name: String,
    pub(super) thing: &'static str,
}

/// Access granted by a token.
pub(super) struct Admitted {
    pub(super) place: Place,
    /// The inbox of the token's role, to be read with that of its client (P15.1).
    pub(super) role: Option<String>,
    /// The grant there, in the object's form.
    pub(super) grant: Box<RawValue>,
    /// When it expires (P2.6).
    pub(super) expires_at: Timestamp,
    /// The token's claims, for all sessions.
    pub(super) claims: Claims,
}

impl Admitted {
    /// The grant of the same token in another session, in the object's form.
    ///
    /// # Errors
    /// What is wrong with the id, `forbidden`, or `unauthorized` where it was revoked.
    pub(super) async fn elsewhere(
        &self,
        env: &Env,
        config: &Config,
        session: &str,
    ) -> Result<Box<RawValue>, ErrorInfo> {
        check_session_id(session)?;
        revoked::check(env, config, &self.claims, Some(session)).await?;
        Ok(as_json(&self.claims.grant(session)?))
    }
}

/// Checks the token of a request against the address.
///
/// # Errors
/// What is wrong with the address or with the token.
pub(super) async fn admit(
    request: &Request,
    env: &Env,
    config: &Config,
    route: &Route,
    params: &[String],
    pairs: &query::Pairs,
) -> Result<Admitted, ErrorInfo> {
    match route.resource {
        Resource::Session => {
            let session = params.first().map_or("", String::as_str);
            check_session_id(session)?;
            let claims = claims(request, env, config, pairs, Some(session)).await?;
            let grant = claims.grant_at(route, params)?;
            if let Some((operation, verb)) = route.needs {
                grant.operations.require(operation, verb, session)?;
            }
            admitted(SESSIONS, "session", session.to_owned(), &grant, claims)
        }
        Resource::Inbox => {
            let role = inbox::role(pairs)?;
            let claims = claims(request, env, config, pairs, None).await?;
            let name = address(&claims.client, role);
            let grant = Inbox::grant(&claims, &name)?;
            let said = claims.said_role().filter(|_| role.is_none());
            let role = said.map(|role| address(&claims.client, Some(role)));
            let admitted = admitted(INBOXES, "inbox", name, &grant, claims)?;
            Ok(Admitted { role, ..admitted })
        }
        Resource::Devices => {
            let mut claims = claims(request, env, config, pairs, None).await?;
            if let Some(client) = query::find(pairs, device::CLIENT) {
                claims = claims.in_place_of("read the devices of another client", client)?;
            }
            let name = address(&claims.client, None);
            let grant = Inbox::grant(&claims, &name)?;
            admitted(INBOXES, "inbox", name, &grant, claims)
        }
        Resource::Revocations | Resource::Client => {
            let claims = claims(request, env, config, pairs, None).await?;
            let name = match params.first() {
                None => {
                    claims.check_rules("revoke tokens")?;
                    REVOCATIONS.to_owned()
                }
                Some(client) => {
                    let claims = claims.clone().in_place_of("erase a client", client)?;
                    address(&claims.client, None)
                }
            };
            if !config.outbound.has_inboxes {
                return Err(not_configured("this needs the binding INBOXES"));
            }
            admitted(INBOXES, "inbox", name, &Grant::of_session(), claims)
        }
    }
}

fn admitted(
    binding: &'static str,
    thing: &'static str,
    name: String,
    grant: &impl Serialize,
    claims: Claims,
) -> Result<Admitted, ErrorInfo> {
    let grant = to_raw_value(grant).map_err(|error| failed(thing, &error.to_string()))?;
    let place = Place {
        binding,
        name,
        thing,
    };
    Ok(Admitted {
        place,
        role: None,
        grant,
        expires_at: claims.expires_at,
        claims,
    })
}

/// The claims of the request's token, which is none that was revoked.
async fn claims(
    request: &Request,
    env: &Env,
    config: &Config,
    pairs: &query::Pairs,
    session: Option<&str>,
) -> Result<Claims, ErrorInfo> {
    let Some(token) = token(request, pairs) else {
        let message = "unable to authorize; there is no token, send it as Authorization: Bearer \
                       TOKEN, as the subprotocol sessile.token.TOKEN or as ?token=TOKEN";
        return Err(ErrorInfo::new(ErrorCode::Unauthorized, message));
    };
    let claims = config.keys.verify(&token, &config.limits).await?;
    revoked::check(env, config, &claims, session).await?;
    Ok(claims)
}

/// The token, from any of its places (P2.4).
fn token(request: &Request, pairs: &query::Pairs) -> Option<String> {
    let header = request.headers().get("authorization").ok().flatten();
    if let Some(header) = header {
        let (scheme, token) = header.trim().split_once(' ')?;
        return scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token.trim().to_owned());
    }
    let offered = offered(request);
    let carried = offered
        .iter()
        .find_map(|protocol| protocol.strip_prefix(TOKEN_PROTOCOL));
    carried
        .or_else(|| query::find(pairs, "token"))
        .map(str::to_owned)
}
