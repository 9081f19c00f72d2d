//! Plain tokens of an identity provider, given capabilities by `SESSILE_CLAIMS` (P2.9).

use worker::wasm_bindgen::prelude::*;

use super::env::not_configured;
use super::js::describe;
use crate::protocol::error::ErrorInfo;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::Limits;
use crate::token::{Claims, unauthorized};

#[wasm_bindgen(module = "/src/cloudflare/platform/claims.js")]
extern "C" {
    /// Claims with the caps of a rule; nothing after the last one. Throws for a wrong rule.
    #[wasm_bindgen(catch)]
    fn sample(rules: &str, index: u32) -> Result<Option<String>, JsValue>;

    /// The claims of a token, with caps.
    #[wasm_bindgen(catch)]
    fn map(rules: &str, claims: &str, keeps_name: bool) -> Result<String, JsValue>;
}

/// Checks the rules of the deployment.
///
/// # Errors
/// `not-configured`, naming the rule that is wrong.
pub(super) fn check(rules: &str) -> Result<(), ErrorInfo> {
    let mut index = 0;
    let wrong = |error: &JsValue| not_configured(&describe(error));
    while let Some(claims) = sample(rules, index).map_err(|error| wrong(&error))? {
        Claims::read(&claims, 0, &Limits::default()).map_err(|error| {
            let wrong = error.message;
            not_configured(&format!("SESSILE_CLAIMS: the rule [{index}]: {wrong}"))
        })?;
        index += 1;
    }
    Ok(())
}

/// Reads the claims of a token whose signature was checked. A name that is refused is left out.
///
/// # Errors
/// As [`Claims::read`].
pub(super) fn read(
    rules: &str,
    claims: &str,
    now: Timestamp,
    limits: &Limits,
) -> Result<Claims, ErrorInfo> {
    let read = |keeps_name| {
        let mapped = map(rules, claims, keeps_name);
        let mapped = mapped.map_err(|error| unauthorized(&describe(&error)))?;
        Claims::read(&mapped, now, limits)
    };
    read(true).or_else(|_| read(false))
}
