//! Push: one notice to one device, tried once (P10.1, P10.2, P10.5).
//!
//! Each service is a small transport in JavaScript of the same form, on the runtime's cryptography;
//! `platform/services.js` has their settings and the one bounded call.

use std::time::Duration;

use worker::Env;
use worker::js_sys::Promise;
use worker::js_sys::futures::JsFuture;
use worker::wasm_bindgen::prelude::*;

use super::platform::config::config;
use super::platform::env::not_configured;
use super::platform::js::describe;
use super::platform::time::within;
use crate::protocol::error::ErrorInfo;
use crate::protocol::object::{Object, read_fields};
use crate::protocol::target;

/// Calls in a row that one push may need: the wait for another's access token, its own, the push.
const CALLS: u32 = 3;

#[wasm_bindgen(module = "/src/cloudflare/push/web.js")]
extern "C" {
    #[wasm_bindgen(js_name = publicKey, catch)]
    fn make_public_key(env: &JsValue) -> Result<Promise, JsValue>;

    /// Sends a notice; gives a [`Pushed`] as JSON.
    #[wasm_bindgen(js_name = send, catch)]
    fn send_web(
        env: &JsValue,
        device: &str,
        notice: &str,
        options: &str,
        ms: f64,
    ) -> Result<Promise, JsValue>;
}

#[wasm_bindgen(module = "/src/cloudflare/push/fcm.js")]
extern "C" {
    #[wasm_bindgen(js_name = send, catch)]
    fn send_fcm(
        env: &JsValue,
        device: &str,
        notice: &str,
        options: &str,
        ms: f64,
    ) -> Result<Promise, JsValue>;
}

#[wasm_bindgen(module = "/src/cloudflare/push/apns.js")]
extern "C" {
    #[wasm_bindgen(js_name = send, catch)]
    fn send_apns(
        env: &JsValue,
        device: &str,
        notice: &str,
        options: &str,
        ms: f64,
    ) -> Result<Promise, JsValue>;
}

/// The end of one push.
#[derive(Debug, Default)]
pub(crate) struct Pushed {
    /// The status of the service's answer; 0 without one.
    pub(crate) status: u16,
    /// How long the service asks to wait before another attempt.
    pub(crate) retry_after_ms: Option<u64>,
    /// Whether the device is to be forgotten.
    pub(crate) gone: Option<bool>,
    /// The reason, in the service's word or ours, without any address or secret.
    pub(crate) reason: Option<String>,
}

read_fields!(Pushed {
    status,
    retry_after_ms as "retryAfterMs",
    gone,
    reason,
});

impl Pushed {
    fn failed(reason: &str) -> Self {
        Self {
            reason: Some(reason.to_owned()),
            ..Self::default()
        }
    }
}

/// Sends a notice to a device, once. Each is JSON:
///
/// - device: `{web: PushSubscription}`, `{fcm: {token}}` or `{apns: {token, topic?}}`;
/// - notice: `{type, title, body, session, …}`, as the app gets it;
/// - options: `{id, collapse, ttlS, urgency}`, the urgency by RFC 8030.
pub(crate) async fn push(env: &Env, device: &str, notice: &str, options: &str) -> Pushed {
    let config = match config(env) {
        Ok(config) => config,
        Err(error) => return Pushed::failed(&error.message),
    };
    let Some(kinds) = Object::read(device) else {
        return Pushed::failed("the device is none");
    };
    let send = if let Some(subscription) = kinds.raw("web") {
        // The deployment may have stopped allowing it since the device was registered.
        let endpoint = Object::read(subscription.get())
            .and_then(|subscription| subscription.field::<String>("endpoint").ok());
        let endpoint = endpoint.unwrap_or_default();
        if let Err(reason) = target::check(&endpoint, config.outbound.allows_local) {
            return Pushed {
                gone: Some(true),
                ..Pushed::failed(reason)
            };
        }
        send_web
    } else if kinds.raw("fcm").is_some() {
        send_fcm
    } else {
        send_apns
    };
    let ms = config.limits.delivery_ms;
    let sent = async {
        let answer = send(env, device, notice, options, ms as f64)?;
        JsFuture::from(answer).await
    };
    let Some(sent) = within(Duration::from_millis(ms) * CALLS, sent).await else {
        return Pushed::failed("it did not end in time");
    };
    let answer = sent.ok().and_then(|answer| answer.as_string());
    let pushed = answer.and_then(|answer| serde_json::from_str(&answer).ok());
    pushed.unwrap_or_else(|| Pushed::failed("it could not be sent"))
}

/// The public key that browsers subscribe with, in base64url (P10.1).
///
/// # Errors
/// `not-configured`, when the deployment has no Web Push, or a key that the platform refuses.
pub(crate) async fn public_key(env: &Env) -> Result<String, ErrorInfo> {
    let made = async { JsFuture::from(make_public_key(env)?).await };
    let made = made
        .await
        .map_err(|error| not_configured(&describe(&error)))?;
    made.as_string()
        .ok_or_else(|| not_configured("there is no SESSILE_VAPID_KEY"))
}
