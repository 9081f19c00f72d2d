//! One delivery, tried once: a signed webhook (P10.3, P10.5), or the news for an inbox (P15).
//!
//! The runtime's own cryptography signs and its `fetch` calls, in `deliver.js`; every end is an
//! outcome for the session to judge.

use std::time::Duration;

use crate::protocol::object::read_fields;
use worker::Env;
use worker::js_sys::Promise;
use worker::js_sys::futures::JsFuture;
use worker::wasm_bindgen::prelude::*;

use crate::cloudflare::call::{Call, Question, as_json, is_stale, reach, request};
use crate::cloudflare::platform::config::{INBOXES, config};
use crate::cloudflare::platform::js::describe;
use crate::cloudflare::platform::time::within;
use crate::inbox::Grant;
use crate::protocol::routes::TOLD;
use crate::protocol::target;
use crate::session::{Delivered, Delivery, Outcome};
use crate::store::DeliveryKind;

#[wasm_bindgen(module = "/src/cloudflare/object/deliver.js")]
extern "C" {
    /// Sends a body, signed with each of the secrets; gives an [`Answer`] as JSON.
    #[wasm_bindgen(js_name = deliver, catch)]
    fn send(url: &str, id: &str, body: &str, secrets: &str, ms: f64) -> Result<Promise, JsValue>;
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
        DeliveryKind::Hook => call_hook(env, delivery).await,
        DeliveryKind::Inbox => tell_inbox(env, delivery).await,
    }
}

/// Tells an inbox of this deployment, by a call that no client can make.
async fn tell_inbox(env: &Env, delivery: Delivery) -> Result<Outcome, Outcome> {
    let failed = |reason: String| Outcome::Failed { reason };
    let config = config(env).map_err(|error| failed(error.message))?;
    let question = Question {
        method: TOLD.method.to_owned(),
        path: TOLD.path.to_owned(),
        params: Vec::new(),
        pairs: Vec::new(),
    };
    let call = Call {
        grant: as_json(&Grant::of_session()),
        ask: question.into(),
    };
    let call = serde_json::to_string(&call).map_err(|error| failed(error.to_string()))?;
    let request = request(&call, false, Some(&delivery.body));
    let request = request.map_err(|error| failed(describe(&error)))?;
    let answer = reach(env, INBOXES, &delivery.target, &request);
    let longest = Duration::from_millis(config.limits.delivery_ms);
    let Some(answer) = within(longest, answer).await else {
        return Err(failed("the inbox did not answer in time".to_owned()));
    };
    let answer = answer.map_err(|error| failed(error.to_string()))?;
    if is_stale(&answer) {
        return Err(failed("the inbox is being made anew".to_owned()));
    }
    Ok(Outcome::Answered {
        status: answer.status(),
        retry_after_ms: None,
    })
}

async fn call_hook(env: &Env, delivery: Delivery) -> Result<Outcome, Outcome> {
    let failed = |reason: String| Outcome::Failed { reason };
    let config = config(env).map_err(|error| failed(error.message))?;
    // The deployment may have stopped allowing it since the address was set.
    let refused = |reason: &str| Outcome::Refused {
        reason: reason.to_owned(),
    };
    target::check(&delivery.target, config.outbound.allows_local).map_err(refused)?;
    let secrets = config.secrets.as_deref();
    let secrets =
        secrets.ok_or_else(|| failed("there is no SESSILE_WEBHOOK_SECRETS".to_owned()))?;
    let ms = config.limits.delivery_ms as f64;
    let thrown = |error: JsValue| failed(describe(&error));
    let Delivery {
        target, id, body, ..
    } = &delivery;
    let answer = send(target, id, body, secrets, ms).map_err(thrown)?;
    let answer = JsFuture::from(answer).await.map_err(thrown)?;
    let answer = answer.as_string().unwrap_or_default();
    let answer: Answer =
        serde_json::from_str(&answer).map_err(|error| failed(error.to_string()))?;
    Ok(Outcome::Answered {
        status: answer.status,
        retry_after_ms: answer.retry_after_ms,
    })
}
