//! Requests: which session, who asks, may they, and on to whom (P1.1, P2).
//!
//! A token is checked here, before the session is woken (P2.5).

use worker::Env;
use worker::wasm_bindgen::JsValue;
use worker::web_sys::Request;

use super::address::{self, Endpoint};
use super::asked::Asked;
use super::body;
use super::lines;
use super::refuse::{Shape, offered, refuse};
use super::sse;
use crate::cloudflare::call::{Action, Call, Opening};
use crate::cloudflare::platform::config::{Config, config};
use crate::cloudflare::platform::env::not_configured;
use crate::cloudflare::platform::http::{Answer, error_body, json, preflight, read_all, refusal};
use crate::cloudflare::platform::log::{log, note};
use crate::cloudflare::platform::upgrade::PROTOCOL;
use crate::protocol::capability::Operation;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::check_session_id;
use crate::protocol::query;
use crate::session::Carrier;
use crate::token::Grant;

/// What the subprotocol begins with that carries a token (P2.4).
const TOKEN_PROTOCOL: &str = "sessile.token.";

/// Characters of a path that are noted.
const SHOWN_LENGTH: usize = 80;

/// Answers a request.
pub(super) async fn route(request: &Request, env: &Env) -> Answer {
    let url = request.url();
    let (path, query) = address::split(&url);
    if !path.starts_with("/v1/") {
        return assets(request, env).await;
    }
    let method = request.method();
    if method == "OPTIONS" {
        return preflight();
    }
    let endpoint = address::endpoint(&method, path);
    let shape = shape(
        request,
        endpoint.as_ref().ok().map(|(_, endpoint)| endpoint),
    );
    let asked_for = format!("{method} {}", shown(path));
    let refused = |error: ErrorInfo| {
        note(&asked_for, &error);
        refuse(shape, &error)
    };
    let config = match config(env) {
        Ok(config) if config.keys.is_empty() => {
            return refused(not_configured(
                "no key is configured; set SESSILE_SIGNING_KEY, SESSILE_KEYS or SESSILE_JWKS_URL",
            ));
        }
        Ok(config) => config,
        Err(error) => return refused(error),
    };
    let (session, endpoint) = match endpoint {
        Ok(found) => found,
        Err(error) => return refused(error),
    };
    let pairs = address::pairs(query);
    let grant = match admit(request, &config, &session, &pairs).await {
        Ok(grant) => grant,
        Err(error) => return refused(error),
    };
    let (session, pairs, config) = (session.as_str(), pairs.as_slice(), config.as_ref());
    let asked = Asked {
        request,
        env,
        config,
        session,
        pairs,
        grant,
        shape,
    };
    match asked.serve(endpoint).await {
        Ok(answer) => noted(answer, &asked_for).await,
        Err(error) => refused(error),
    }
}

/// Notes what the session refused as the Worker would have. Races that somebody lost are no
/// mistake of anybody's.
async fn noted(answer: Answer, asked: &str) -> Answer {
    let answer = answer?;
    let status = answer.status();
    if status < 400 || matches!(status, 409 | 410) {
        return Ok(answer);
    }
    let body = read_all(answer.body(), usize::MAX).await;
    let body = body.unwrap_or_else(|error| error_body(&error));
    let said: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
    let part = |name| said.pointer(name).and_then(|part| part.as_str());
    let (code, message) = (part("/error/code"), part("/error/message"));
    log(
        asked,
        status,
        code.unwrap_or_default(),
        message.unwrap_or_default(),
    );
    json(status, &body)
}

/// Who asks, and what the token grants in this session.
async fn admit(
    request: &Request,
    config: &Config,
    session: &str,
    pairs: &query::Pairs,
) -> Result<Grant, ErrorInfo> {
    check_session_id(session)?;
    let Some(token) = token(request, pairs) else {
        let message = "unable to authorize; there is no token, send it as Authorization: Bearer \
                       TOKEN, as the subprotocol sessile.token.TOKEN or as ?token=TOKEN";
        return Err(ErrorInfo::new(ErrorCode::Unauthorized, message));
    };
    config
        .keys
        .verify(&token, &config.limits)
        .await?
        .grant(session)
}

/// The token, wherever it stands (P2.4).
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

fn shape(request: &Request, endpoint: Option<&Endpoint>) -> Shape {
    match endpoint {
        Some(Endpoint::Connect) if is_upgrade(request) => {
            let has_protocol = offered(request).iter().any(|protocol| protocol == PROTOCOL);
            Shape::Socket { has_protocol }
        }
        Some(Endpoint::Events) if is_event_source(request) => Shape::Events,
        _ => Shape::Plain,
    }
}

/// Whether frames are expected in whatever comes back, as an `EventSource` does.
fn is_event_source(request: &Request) -> bool {
    let accept = request.headers().get("accept").ok().flatten();
    accept.is_some_and(|accept| accept.contains("text/event-stream"))
}

fn is_upgrade(request: &Request) -> bool {
    let upgrade = request.headers().get("upgrade").ok().flatten();
    upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
}

impl Asked<'_> {
    async fn serve(&self, endpoint: Endpoint) -> Result<Answer, ErrorInfo> {
        let limit = usize::try_from(self.config.limits.frame_bytes).unwrap_or(usize::MAX);
        let action = match endpoint {
            Endpoint::Connect => return self.connect().await,
            Endpoint::Events => {
                self.must(Operation::Read, "read events")?;
                return sse::serve(self).await;
            }
            Endpoint::Publish if query::find(self.pairs, "stream") == Some("1") => {
                return body::serve(self).await;
            }
            Endpoint::Frames if self.is_type("application/x-ndjson") => {
                return lines::serve(self).await;
            }
            endpoint => self.action(endpoint)?,
        };
        let takes_body = !matches!(
            action,
            Action::Snapshot(_)
                | Action::History { .. }
                | Action::Message(..)
                | Action::Turns { .. }
                | Action::Turn(_)
                | Action::Presence
                | Action::Diagnostics
                | Action::Erase
        );
        let body = match takes_body {
            true => Some(read_all(self.request.body(), limit).await?),
            false => None,
        };
        let call = Call {
            grant: self.grant.clone(),
            action,
        };
        Ok(Ok(call
            .make(self.env, self.session, body.as_deref())
            .await?))
    }

    /// What is asked of the object, for everything that is one call and one answer. What a
    /// frame needs is checked by the session.
    fn action(&self, endpoint: Endpoint) -> Result<Action, ErrorInfo> {
        match endpoint {
            Endpoint::Snapshot
            | Endpoint::History
            | Endpoint::Message(_)
            | Endpoint::Turns
            | Endpoint::Turn(_)
            | Endpoint::Presence => self.must(Operation::Read, "read")?,
            Endpoint::Settings => self.must(Operation::Admin, "change the settings")?,
            Endpoint::Erase => self.must(Operation::Admin, "delete the session")?,
            Endpoint::Diagnostics => self.must(Operation::Admin, "read the diagnostics")?,
            _ => {}
        }
        Ok(match endpoint {
            Endpoint::Snapshot => Action::Snapshot(query::rewind(self.pairs, "read the snapshot")?),
            Endpoint::Settings => Action::Settings,
            Endpoint::Erase => Action::Erase,
            Endpoint::Diagnostics => Action::Diagnostics,
            Endpoint::History => {
                let query::History {
                    before,
                    after,
                    to,
                    limit,
                } = query::history(self.pairs)?;
                match to {
                    Some(to) => Action::Conversation { to, before, limit },
                    None => Action::History {
                        before,
                        after,
                        limit,
                    },
                }
            }
            Endpoint::Message(serial) => Action::Message(serial, false),
            Endpoint::Turns => {
                let query::Turns { all, before, limit } = query::turns(self.pairs)?;
                Action::Turns { all, before, limit }
            }
            Endpoint::Turn(id) => Action::Turn(id),
            Endpoint::StartTurn => Action::StartTurn,
            Endpoint::EndTurn(id) => Action::EndTurn(id),
            Endpoint::CancelTurn(id) => Action::CancelTurn(id),
            Endpoint::Presence => Action::Presence,
            Endpoint::Update(serial) => Action::Update(serial),
            Endpoint::Delete(serial) => {
                let version = query::find(self.pairs, "ifVersion").map(query::position);
                Action::Delete(serial, version)
            }
            Endpoint::Publish => Action::Publish,
            Endpoint::Frames => Action::Frames,
            Endpoint::Connect | Endpoint::Events => return Err(address::nowhere()),
        })
    }

    async fn connect(&self) -> Result<Answer, ErrorInfo> {
        let Shape::Socket { has_protocol } = self.shape else {
            let message = "unable to connect; the request is no upgrade to a WebSocket";
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        };
        self.must(Operation::Read, "connect")?;
        let query::Attach {
            since,
            rewind,
            window_ms,
            names,
        } = query::attach(self.pairs)?;
        let carrier = Carrier::Socket;
        let opening = Opening {
            carrier,
            has_protocol,
            since,
            rewind,
            window_ms,
            names,
        };
        let call = Call {
            grant: self.grant.clone(),
            action: Action::Open(opening),
        };
        Ok(Ok(call.make(self.env, self.session, None).await?))
    }
}

/// Everything that is not the protocol: the page, if this deployment has one.
async fn assets(request: &Request, env: &Env) -> Answer {
    let Ok(assets) = env.assets("ASSETS") else {
        return refusal(&address::nowhere());
    };
    let request = worker::Request::from(request.clone()?);
    let response = assets.fetch_request(request).await.map_err(JsValue::from)?;
    let is_bare = response
        .headers()
        .get("content-type")
        .ok()
        .flatten()
        .is_none();
    if response.status_code() == 404 && is_bare {
        return refusal(&address::nowhere());
    }
    Ok(response.into())
}

/// A path without its query, which may hold a token, and cut before one would be whole that
/// stands where a session's id should.
fn shown(path: &str) -> String {
    path.chars().take(SHOWN_LENGTH).collect()
}
