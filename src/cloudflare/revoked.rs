//! Tokens that were revoked are refused, though they are signed and valid (P11.5).

use worker::Env;
use worker::js_sys::Promise;
use worker::js_sys::futures::JsFuture;
use worker::wasm_bindgen::prelude::*;

use super::platform::config::Config;
use crate::protocol::error::ErrorInfo;
use crate::token::{Claims, unauthorized};

#[wasm_bindgen(module = "/src/cloudflare/revoked.js")]
extern "C" {
    #[wasm_bindgen(js_name = isRevoked, catch)]
    fn is_revoked(
        env: &JsValue,
        client: &str,
        session: Option<&str>,
        issued_at: f64,
    ) -> Result<Promise, JsValue>;
}

/// Refuses a token that was revoked, for every session or for this one.
///
/// # Errors
/// `unauthorized`.
pub(crate) async fn check(
    env: &Env,
    config: &Config,
    claims: &Claims,
    session: Option<&str>,
) -> Result<(), ErrorInfo> {
    if !config.outbound.has_inboxes {
        return Ok(());
    }
    let asked = is_revoked(env, &claims.client, session, claims.issued_at as f64);
    let is_revoked = match asked {
        Ok(asked) => JsFuture::from(asked).await.is_ok_and(|it| it.is_truthy()),
        Err(_) => false,
    };
    match is_revoked {
        true => Err(unauthorized("the token was revoked; ask for another one")),
        false => Ok(()),
    }
}
