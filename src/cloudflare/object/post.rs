//! One notice for a device, tried once (P10.2).

use serde_json::json;
use worker::Env;

use crate::cloudflare::platform::config::config;
use crate::cloudflare::push::{Pushed, push};
use crate::inbox::{Decide, Delivered, Delivery};
use crate::protocol::error::ErrorInfo;

/// Sends a notice. It always ends, and any failure is an outcome.
pub(super) async fn post(env: &Env, delivery: Delivery) -> Delivered {
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
async fn notice(env: &Env, delivery: &Delivery) -> Result<String, ErrorInfo> {
    let Delivery { notice, decide, .. } = delivery;
    let Some(Decide { url, claims }) = decide else {
        return Ok(notice.clone());
    };
    let token = config(env)?.keys.issue(claims).await?;
    let decide = json!({ "url": url, "token": token });
    let rest = notice.strip_prefix('{').unwrap_or_default();
    Ok(format!("{{\"decide\":{decide},{rest}"))
}
