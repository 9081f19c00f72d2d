//! The calls of an inbox, each tried once: a notice for a device (P10.2), a revocation (P11.5).

use serde_json::json;
use worker::Env;

use super::deliver::tell;
use crate::cloudflare::call::as_json;
use crate::cloudflare::platform::config::{INBOXES, SESSIONS, config};
use crate::cloudflare::push::{Pushed, push};
use crate::inbox::{Decide, Delivered, Delivery, Grant, Posting, Revoking};
use crate::protocol::erasure::{ERASE, REVOKE};
use crate::protocol::error::ErrorInfo;
use crate::protocol::revocation::REVOCATIONS;
use crate::protocol::routes::{REVOKED, REVOKED_HERE};
use crate::token;

/// Makes a call of an inbox. It always ends, and any failure is an outcome.
pub(super) async fn deliver(env: &Env, delivery: Delivery) -> Delivered {
    match delivery {
        Delivery::Post(posting) => post(env, posting).await,
        Delivery::Revoke(revoking) => revoke(env, revoking).await,
    }
}

/// Tells another object of a revocation or of its end, by a call that no client can make.
async fn revoke(env: &Env, revoking: Revoking) -> Delivered {
    let number = revoking.number;
    let (binding, grant) = match revoking.is_session {
        true => (SESSIONS, as_json(&token::Grant::of_deployment())),
        false => (INBOXES, as_json(&Grant::of_session())),
    };
    let route = match revoking.is_session {
        true if revoking.erases => &ERASE,
        true => &REVOKED_HERE,
        false if revoking.name == REVOCATIONS => &REVOKE,
        false => &REVOKED,
    };
    let called = tell(env, binding, &revoking.name, grant, route, &revoking.body).await;
    Delivered {
        number,
        status: called.unwrap_or(0),
        retry_after_ms: None,
        is_gone: false,
        reason: None,
    }
}

/// Sends a notice.
async fn post(env: &Env, delivery: Posting) -> Delivered {
    let number = delivery.number;
    let pushed = match notice(env, &delivery).await {
        Ok(notice) => push(env, &delivery.device, &notice, &delivery.options).await,
        Err(error) => Pushed {
            reason: Some(error.message),
            ..Pushed::default()
        },
    };
    Delivered {
        number,
        status: pushed.status,
        retry_after_ms: pushed.retry_after_ms,
        is_gone: pushed.gone.unwrap_or(false),
        reason: pushed.reason,
    }
}

/// The notice with the token that its buttons need.
async fn notice(env: &Env, delivery: &Posting) -> Result<String, ErrorInfo> {
    let Posting { notice, decide, .. } = delivery;
    let Some(Decide { url, claims }) = decide else {
        return Ok(notice.clone());
    };
    let token = config(env)?.keys.issue(claims).await?;
    let decide = json!({ "url": url, "token": token });
    let rest = notice.strip_prefix('{').unwrap_or_default();
    Ok(format!("{{\"decide\":{decide},{rest}"))
}
