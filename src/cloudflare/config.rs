//! What the owner of the deployment has set: keys and limits.

use std::cell::OnceCell;
use std::rc::Rc;

use worker::Env;
use worker::js_sys::{JSON, Reflect};

use super::keys::KeyRing;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::limits::Limits;

thread_local! {
    /// Settings cannot change under a running isolate.
    static CONFIG: OnceCell<Rc<Config>> = const { OnceCell::new() };
}

/// The settings of this deployment.
pub(super) struct Config {
    /// The bounds that hold (P14).
    pub(super) limits: Limits,
    /// The keys that tokens are checked with (P2.7).
    pub(super) keys: KeyRing,
}

/// The settings, read once.
///
/// # Errors
/// `not-configured`, naming what is missing or wrong.
pub(super) fn config(env: &Env) -> Result<Rc<Config>, ErrorInfo> {
    CONFIG.with(|config| {
        if let Some(known) = config.get() {
            return Ok(Rc::clone(known));
        }
        let read = Rc::new(Config {
            limits: limits(env)?,
            keys: KeyRing::read(env)?,
        });
        Ok(Rc::clone(config.get_or_init(|| read)))
    })
}

/// A variable or secret as text; a variable that is JSON in the configuration, as JSON.
pub(super) fn variable(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &name.into()).ok()?;
    if value.is_undefined() || value.is_null() {
        return None;
    }
    value
        .as_string()
        .or_else(|| JSON::stringify(&value).ok().map(String::from))
}

/// The refusal of everything while a setting is missing or wrong (P2.7).
pub(super) fn not_configured(reason: &str) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::NotConfigured,
        format!("unable to serve; {reason}"),
    )
}

fn limits(env: &Env) -> Result<Limits, ErrorInfo> {
    let Some(json) = variable(env, "SESSILE_LIMITS") else {
        return Ok(Limits::default());
    };
    serde_json::from_str(&json).map_err(|error| {
        let reason: String = error.to_string().chars().take(200).collect();
        not_configured(&format!(
            "SESSILE_LIMITS is not an object from names of limits to numbers: {reason}"
        ))
    })
}
