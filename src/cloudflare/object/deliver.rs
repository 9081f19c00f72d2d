//! One delivery, tried once: a signed webhook or another way to an agent (P10.3, P10.5), the
//! news for an inbox (P15), or files that go (P11.7).
//!
//! The runtime's own cryptography signs and its `fetch` calls, in `deliver.js`; every end is an
//! outcome for the session to judge.

use std::time::Duration;

use serde_json::value::RawValue;
use worker::Env;
use worker::js_sys::Promise;
use worker::js_sys::futures::JsFuture;
use worker::wasm_bindgen::prelude::*;

use crate::cloudflare::bucket;
use crate::cloudflare::call::{Call, Question, as_json, is_stale, reach, request};
use crate::cloudflare::platform::config::{Config, INBOXES, config};
use crate::cloudflare::platform::http::read_all;
use crate::cloudflare::platform::js::describe;
use crate::cloudflare::platform::time::{now, within};
use crate::inbox::Grant;
use crate::protocol::agent::Way;
use crate::protocol::capability::{Operation, Operations, Role};
use crate::protocol::error::ErrorInfo;
use crate::protocol::ids::Timestamp;
use crate::protocol::object::{Object, read_fields};
use crate::protocol::routes::{CONTACT, Route, SAID, TOLD};
use crate::protocol::target;
use crate::session::{Delivered, Delivery, Outcome};
use crate::store::DeliveryKind;
use crate::token::{self, session_claims};

/// How long an agent's token is valid, in milliseconds: an hour is a long turn, and every attempt
/// brings another.
const TOKEN_MS: i64 = 60 * 60 * 1000;
/// Bytes of an answer of another object that are read: it is `{}` or a refusal.
const ANSWER_BYTES: usize = 64 * 1024;
/// The client of an agent that works with such a token.
const AGENT: &str = "agent";
/// The client of a fork, in its source and in itself.
const FORK: &str = "sessile";

#[wasm_bindgen(module = "/src/cloudflare/object/deliver.js")]
extern "C" {
    /// Sends a body in a way, signed with each of the secrets where that is a request; gives an
    /// [`Answer`] as JSON.
    #[wasm_bindgen(js_name = deliver, catch)]
    fn send(
        env: &JsValue,
        way: &str,
        name: &str,
        place: &str,
        id: &str,
        body: &str,
        secrets: &str,
        ms: f64,
    ) -> Result<Promise, JsValue>;
}

#[wasm_bindgen(module = "/src/cloudflare/platform/transfer.js")]
extern "C" {
    /// Takes the next page of a fork from its source to its own object; gives a status.
    #[wasm_bindgen(catch)]
    fn pulled(
        env: &JsValue,
        from: &str,
        session: &str,
        grant: &str,
        name: &str,
        cursor: &str,
    ) -> Result<Promise, JsValue>;
}

struct Answer {
    status: u16,
    retry_after_ms: Option<u64>,
}

read_fields!(Answer {
    status,
    retry_after_ms as "retryAfterMs",
});

/// Tries a delivery.
pub(super) async fn deliver(env: Env, delivery: Delivery) -> Delivered {
    let number = delivery.number;
    let outcome = attempt(&env, delivery).await;
    let outcome = outcome.unwrap_or_else(|outcome| outcome);
    Delivered { number, outcome }
}

async fn attempt(env: &Env, delivery: Delivery) -> Result<Outcome, Outcome> {
    match delivery.kind {
        DeliveryKind::Hook | DeliveryKind::Wake => call(env, delivery).await,
        DeliveryKind::Inbox => tell_inbox(env, delivery, &TOLD).await,
        DeliveryKind::Notice => tell_inbox(env, delivery, &SAID).await,
        DeliveryKind::File => remove(env, delivery).await,
        DeliveryKind::Page => page(env, &delivery).await,
        DeliveryKind::Contact => tell_inbox(env, delivery, &CONTACT).await,
        // Inboxes owe these (`post.rs`).
        DeliveryKind::Device => Err(Outcome::Refused {
            reason: "a session has no devices".to_owned(),
        }),
    }
}

/// Takes the next lines of a fork from its source to this session.
async fn page(env: &Env, delivery: &Delivery) -> Result<Outcome, Outcome> {
    let thrown = |error: JsValue| Outcome::Failed {
        reason: describe(&error),
    };
    let grant = as_json(&token::Grant {
        client: FORK.to_owned(),
        name: None,
        role: Role::User,
        operations: Operations::of(&[Operation::Read, Operation::Admin]),
        issued_at: Timestamp::MAX,
        expires_at: Timestamp::MAX,
    });
    let (name, cursor) = delivery.body.split_once('\n').unwrap_or_default();
    let (from, own) = (&delivery.target, &delivery.id);
    let answer = pulled(env, from, own, grant.get(), name, cursor).map_err(thrown)?;
    let status = JsFuture::from(answer).await.map_err(thrown)?;
    Ok(Outcome::Answered {
        status: status.as_f64().map_or(500, |status| status as u16),
        retry_after_ms: None,
    })
}

/// Tells an inbox of this deployment.
async fn tell_inbox(env: &Env, delivery: Delivery, route: &Route) -> Result<Outcome, Outcome> {
    let (inbox, grant) = (&delivery.target, as_json(&Grant::of_session()));
    let told = tell(env, INBOXES, inbox, grant, route, &delivery.body).await;
    let failed = |reason| Outcome::Failed { reason };
    told.map_err(failed).map(|status| Outcome::Answered {
        status,
        retry_after_ms: None,
    })
}

/// Tells another object of this deployment, by a call that no client can make; returns the status
/// of its answer.
///
/// # Errors
/// The reason why there is none.
pub(super) async fn tell(
    env: &Env,
    binding: &str,
    name: &str,
    grant: Box<RawValue>,
    route: &Route,
    body: &str,
) -> Result<u16, String> {
    let config = config(env).map_err(|error| error.message)?;
    let question = Question {
        method: route.method.to_owned(),
        path: route.path.to_owned(),
        params: Vec::new(),
        pairs: Vec::new(),
    };
    let ask = question.into();
    let call = serde_json::to_string(&Call { grant, ask }).map_err(|error| error.to_string())?;
    let request = request(&call, false, Some(body)).map_err(|error| describe(&error))?;
    let answer = reach(env, binding, name, &request);
    let longest = Duration::from_millis(config.limits.delivery_ms);
    let Some(answer) = within(longest, answer).await else {
        return Err("it did not answer in time".to_owned());
    };
    let answer = answer.map_err(|error| error.to_string())?;
    // An answer that is not read keeps the other object in memory.
    let _ = read_all(answer.body(), ANSWER_BYTES).await;
    match is_stale(&answer) {
        true => Err("it is being made anew".to_owned()),
        false => Ok(answer.status()),
    }
}

/// Deletes files (P11.7).
async fn remove(env: &Env, delivery: Delivery) -> Result<Outcome, Outcome> {
    let failed = |reason: String| Outcome::Failed { reason };
    let config = config(env).map_err(|error| failed(error.message))?;
    let Delivery { target, body, .. } = delivery;
    let gone = bucket::remove(env, &target, &body, config.limits.delivery_ms).await;
    gone.map_err(failed)?;
    Ok(Outcome::Answered {
        status: 204,
        retry_after_ms: None,
    })
}

/// Calls a hook or an agent.
async fn call(env: &Env, delivery: Delivery) -> Result<Outcome, Outcome> {
    let failed = |reason: String| Outcome::Failed { reason };
    let config = config(env).map_err(|error| failed(error.message))?;
    let secrets = config.secrets.as_deref();
    let way = match delivery.kind {
        DeliveryKind::Wake => Way::of(&delivery.target),
        _ => Way::Url(delivery.target),
    };
    let (way, name, place) = match &way {
        Way::Url(url) => {
            // The deployment may have stopped allowing it since the address was set.
            let checked = target::check(url, config.outbound.allows_local);
            checked.map_err(|reason| Outcome::Refused {
                reason: reason.to_owned(),
            })?;
            if secrets.is_none() {
                return Err(failed("there is no SESSILE_WEBHOOK_SECRETS".to_owned()));
            }
            ("url", url, "")
        }
        Way::Service { binding, path } => ("service", binding, path.as_str()),
        Way::Queue(binding) => ("queue", binding, ""),
        Way::Workflow(binding) => ("workflow", binding, ""),
        Way::Inbox(_) => return Err(failed("an inbox is not called".to_owned())),
    };
    let mut body = delivery.body;
    if delivery.wants_token {
        let token = token(&config, &body).await;
        body = with_token(&body, &token.map_err(|error| failed(error.message))?);
    }
    let (ms, id) = (config.limits.delivery_ms as f64, &delivery.id);
    let thrown = |error: JsValue| failed(describe(&error));
    let secrets = secrets.unwrap_or_default();
    let answer = send(env, way, name, place, id, &body, secrets, ms).map_err(thrown)?;
    let answer = JsFuture::from(answer).await.map_err(thrown)?;
    let answer = answer.as_string().unwrap_or_default();
    let answer: Answer =
        serde_json::from_str(&answer).map_err(|error| failed(error.to_string()))?;
    Ok(Outcome::Answered {
        status: answer.status,
        retry_after_ms: answer.retry_after_ms,
    })
}

/// A token by which an agent may work in the session that a body is about.
async fn token(config: &Config, body: &str) -> Result<String, ErrorInfo> {
    let session = Object::read(body).and_then(|body| body.word("session"));
    let session = session.unwrap_or_default();
    let now = now();
    let until = now.saturating_add(TOKEN_MS);
    let words = [Role::Agent.as_str()];
    let claims = session_claims(&session, AGENT, Role::Agent, &words, now, until);
    config.keys.issue(&claims).await
}

fn with_token(body: &str, token: &str) -> String {
    let open = body.strip_suffix('}').unwrap_or(body);
    format!("{open},\"token\":\"{token}\"}}")
}
