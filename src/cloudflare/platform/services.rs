//! The push services that a deployment has, checked once (P10.1).

use worker::Env;
use worker::wasm_bindgen::prelude::*;

use super::env::{not_configured, variable};
use super::js::describe;
use crate::protocol::error::ErrorInfo;
use crate::protocol::target;

/// Addresses that replace those of the services.
const ADDRESSES: [&str; 2] = ["SESSILE_FCM_URL", "SESSILE_APNS_URL"];

#[wasm_bindgen(module = "/src/cloudflare/platform/services.js")]
extern "C" {
    /// Why the variables cannot be used, if so.
    #[wasm_bindgen(js_name = check, catch)]
    fn check_services(env: &JsValue) -> Result<Option<String>, JsValue>;
}

/// Checks the variables of push, all of which may be absent.
///
/// # Errors
/// `not-configured`, naming the variable that is wrong, without its value.
pub(super) fn check(env: &Env, allows_local: bool) -> Result<(), ErrorInfo> {
    let reason = check_services(env).map_err(|error| not_configured(&describe(&error)))?;
    if let Some(reason) = reason {
        return Err(not_configured(&reason));
    }
    for name in ADDRESSES {
        let url = variable(env, name).filter(|url| !url.is_empty());
        let checked = url.map_or(Ok(()), |url| target::check(&url, allows_local));
        checked.map_err(|reason| not_configured(&format!("{name}: {reason}")))?;
    }
    Ok(())
}
