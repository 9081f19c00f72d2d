//! Requests: their route, their client, and the way each is served (P1.1, P2).

use worker::Env;
use worker::js_sys::futures::JsFuture;
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::web_sys::{Request, Response};

use super::admit::admit;
use super::asked::Asked;
use super::refuse::{Shape, offered, refuse};
use super::{body, development, lines, merged, sse, transfer};
use crate::cloudflare::bucket;
use crate::cloudflare::call::{as_json, failed};
use crate::cloudflare::platform::config::config;
use crate::cloudflare::platform::env::not_configured;
use crate::cloudflare::platform::http::{Answer, json, preflight, read_all, refusal};
use crate::cloudflare::platform::js;
use crate::cloudflare::platform::log::{log, note};
use crate::cloudflare::platform::upgrade::PROTOCOL;
use crate::cloudflare::push;
use crate::machine::Carrier;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::inbox;
use crate::protocol::query;
use crate::protocol::routes::{self, Missed, Resource, Route, Serve};

/// Characters of a path that are noted.
const SHOWN_LENGTH: usize = 80;

/// Answers a request.
pub(super) async fn route(request: &Request, env: &Env) -> Answer {
    let url = request.url();
    let (path, query) = split(&url);
    if !path.starts_with("/v1/") {
        return assets(request, env).await;
    }
    let method = request.method();
    if method == "OPTIONS" {
        return preflight();
    }
    let found = routes::find(&method, path);
    let shape = shape(request, found.as_ref().ok().map(|(route, _)| *route));
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
    let (route, params) = match found {
        Ok(found) => found,
        Err(Missed { error, allow }) => {
            let authority = authority(&url);
            return match development::serve(request, env, &config, authority, path).await {
                Some(Ok(answer)) => answer,
                Some(Err(error)) => refused(error),
                None => allowing(refused(error), allow),
            };
        }
    };
    let pairs = query::pairs(query);
    let admitted = match admit(request, env, &config, route, &params, &pairs).await {
        Ok(admitted) => admitted,
        Err(error) => return refused(error),
    };
    let asked = Asked {
        request,
        env,
        config: &config,
        route,
        params: &params,
        pairs: &pairs,
        admitted,
        shape,
    };
    match asked.serve().await {
        Ok(answer) => noted(answer, &asked_for).await,
        Err(error) => refused(error),
    }
}

impl Asked<'_> {
    /// The one match over the ways to serve a request.
    async fn serve(&self) -> Result<Answer, ErrorInfo> {
        self.route.check(self.pairs)?;
        if let (Some(role), Serve::Answer(_)) = (&self.admitted.role, self.route.serve) {
            return merged::answer(self, role).await;
        }
        match self.route.serve {
            Serve::Socket => return self.connect().await,
            Serve::Events => return sse::serve(self).await,
            Serve::PushKey => return self.push_key().await,
            Serve::File(way) => return self.file(way).await,
            Serve::Transfer(_) => return transfer::serve(self).await,
            Serve::Lines(_) if self.is_type("application/x-ndjson") => {
                return lines::serve(self).await;
            }
            Serve::Body(_) if query::stream(self.pairs)? => return body::serve(self).await,
            Serve::Lines(_)
            | Serve::Body(_)
            | Serve::Answer(_)
            | Serve::Report
            | Serve::Restart => {}
        }
        let longest = self.config.limits.frame_bytes();
        let body = match self.route.method {
            "GET" => None,
            _ => Some(read_all(self.request.body(), longest).await?),
        };
        Ok(Ok(self.ask(body.as_deref()).await?))
    }

    async fn push_key(&self) -> Result<Answer, ErrorInfo> {
        let key = push::public_key(self.env).await?;
        Ok(json(200, &format!("{{\"publicKey\":{key:?}}}")))
    }

    /// Serves a file (P11.7); the bytes never pass through the wasm.
    async fn file(&self, way: &str) -> Result<Answer, ErrorInfo> {
        let thrown = |error: JsValue| failed("bucket", &js::describe(&error));
        let [session, file] = [0, 1].map(|at| self.params.get(at).map_or("", String::as_str));
        let (grant, limits) = (self.admitted.grant.get(), &self.config.limits);
        let (most, ms) = (limits.file_bytes as f64, limits.upload_ms as f64);
        let (env, request) = (self.env, self.request);
        let served = bucket::serve(env, request, way, session, file, grant, most, ms);
        let served = JsFuture::from(served.map_err(thrown)?)
            .await
            .map_err(thrown)?;
        let unsigned = match served.dyn_into::<Response>() {
            Ok(answer) => return Ok(Ok(answer)),
            Err(unsigned) => unsigned.unchecked_into::<bucket::Unsigned>(),
        };
        let token = self.config.keys.issue(&unsigned.claims()).await.ok();
        Ok(unsigned.answer(token))
    }

    async fn connect(&self) -> Result<Answer, ErrorInfo> {
        let Shape::Socket { .. } = self.shape else {
            let message = "unable to connect; the request is no upgrade to a WebSocket";
            return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
        };
        let attach = match (self.route.resource, &self.admitted.role) {
            (Resource::Session, _) => as_json(&query::attach(self.pairs, &self.config.limits)?),
            (_, Some(role)) => return merged::connect(self, role).await,
            (_, None) => as_json(&inbox::attach(self.pairs)),
        };
        Ok(Ok(self.open(Carrier::Socket, attach).await?))
    }
}

/// Logs a refusal by the object as the Worker would have. A lost race is nobody's mistake.
async fn noted(answer: Answer, asked: &str) -> Answer {
    let answer = answer?;
    let status = answer.status();
    if status < 400 || matches!(status, 409 | 410 | 416) {
        return Ok(answer);
    }
    let body = read_all(answer.body(), usize::MAX).await;
    let body = body.unwrap_or_else(|error| error.body());
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

/// A refusal with the methods of the address (P12.2).
fn allowing(answer: Answer, allow: Option<String>) -> Answer {
    let answer = answer?;
    if let Some(allow) = allow {
        answer.headers().set("allow", &allow)?;
    }
    Ok(answer)
}

fn shape(request: &Request, route: Option<&Route>) -> Shape {
    match route.map(|route| route.serve) {
        Some(Serve::Socket) if is_upgrade(request) => {
            let has_protocol = offered(request).iter().any(|protocol| protocol == PROTOCOL);
            Shape::Socket { has_protocol }
        }
        Some(Serve::Events) if is_event_source(request) => Shape::Events,
        _ => Shape::Plain,
    }
}

/// Whether the client expects frames in any answer, as an `EventSource` does.
fn is_event_source(request: &Request) -> bool {
    let accept = request.headers().get("accept").ok().flatten();
    accept.is_some_and(|accept| accept.contains("text/event-stream"))
}

fn is_upgrade(request: &Request) -> bool {
    let upgrade = request.headers().get("upgrade").ok().flatten();
    upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
}

/// Every other address: the page, if this deployment has one.
async fn assets(request: &Request, env: &Env) -> Answer {
    let nowhere = || refusal(&Missed::nowhere().error);
    let Ok(assets) = env.assets("ASSETS") else {
        return nowhere();
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
        return nowhere();
    }
    Ok(response.into())
}

/// The path and the query of an address, in the runtime's form: a full parser is not needed, and is
/// large.
fn split(url: &str) -> (&str, &str) {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let (url, query) = url.split_once('?').unwrap_or((url, ""));
    let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = behind_scheme
        .find('/')
        .and_then(|at| behind_scheme.get(at..));
    (path.unwrap_or("/"), query)
}

/// The host and the port of an address.
fn authority(url: &str) -> &str {
    let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    behind_scheme
        .split(['/', '?', '#'])
        .next()
        .unwrap_or_default()
}

/// A path without its query, which may hold a token, and cut short enough that a token in a
/// session's place is never whole.
fn shown(path: &str) -> String {
    path.chars().take(SHOWN_LENGTH).collect()
}
