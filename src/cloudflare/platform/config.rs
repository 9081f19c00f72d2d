//! The owner's settings of the deployment: keys and limits.

use std::cell::OnceCell;
use std::rc::Rc;

use worker::Env;
use worker::js_sys::Reflect;

use super::env::{not_configured, variable};
use super::js::bindings_of;
use super::keys::KeyRing;
use super::services;
use crate::protocol::agent::Bindings;
use crate::protocol::deployment::Outbound;
use crate::protocol::device::Services;
use crate::protocol::error::ErrorInfo;
use crate::protocol::limits::Limits;

/// The binding of the class of inboxes; a deployment may be without.
pub(crate) const INBOXES: &str = "INBOXES";
/// The binding of the class of sessions.
pub(crate) const SESSIONS: &str = "SESSIONS";

thread_local! {
    /// Settings cannot change under a running isolate.
    static CONFIG: OnceCell<Rc<Config>> = const { OnceCell::new() };
}

/// The settings of this deployment.
pub(crate) struct Config {
    /// The bounds that hold (P14).
    pub(crate) limits: Limits,
    /// The keys that verify tokens (P2.7).
    pub(crate) keys: KeyRing,
    /// The rules for calls that leave a session (P10.4, P10.5).
    pub(crate) outbound: Outbound,
    /// Whether this is a development server ([`crate::protocol::development`]).
    pub(crate) develops: bool,
    /// Whether milestones are written to the log (P11.8).
    pub(crate) logs: bool,
    /// The secrets that sign them, with spaces between.
    pub(crate) secrets: Option<String>,
}

/// The settings, read once.
///
/// # Errors
/// `not-configured`, naming what is missing or wrong.
pub(crate) fn config(env: &Env) -> Result<Rc<Config>, ErrorInfo> {
    CONFIG.with(|config| {
        if let Some(known) = config.get() {
            return Ok(Rc::clone(known));
        }
        let keys = KeyRing::read(env)?;
        let outbound = outbound(env, keys.can_issue())?;
        services::check(env, outbound.allows_local)?;
        let read = Rc::new(Config {
            limits: limits(env)?,
            keys,
            outbound,
            develops: variable(env, "SESSILE_DEV").is_some_and(|word| word == "1"),
            logs: logs(env)?,
            secrets: variable(env, "SESSILE_WEBHOOK_SECRETS"),
        });
        Ok(Rc::clone(config.get_or_init(|| read)))
    })
}

fn outbound(env: &Env, has_keys: bool) -> Result<Outbound, ErrorInfo> {
    let names = [
        "SESSILE_HOOKS",
        "SESSILE_LOCAL_TARGETS",
        "SESSILE_WEBHOOK_SECRETS",
    ];
    let [hooks, local, secrets] = names.map(|name| variable(env, name));
    let read = Outbound::read(hooks.as_deref(), local.as_deref(), secrets.as_deref());
    let outbound = read.map_err(|reason| not_configured(&reason))?;
    let has = |name| variable(env, name).is_some_and(|text| !text.is_empty());
    let outbound = Outbound {
        has_inboxes: env.durable_object(INBOXES).is_ok(),
        has_keys,
        is_watched: logs(env)? || is_bound(env, "ANALYTICS"),
        bindings: bindings(env),
        push: Services {
            web: has("SESSILE_VAPID_KEY"),
            fcm: has("SESSILE_FCM_ACCOUNT"),
            apns: has("SESSILE_APNS_KEY"),
        },
        ..outbound
    };
    let agent = variable(env, "SESSILE_AGENT");
    let outbound = outbound.with_agent(agent.as_deref());
    outbound.map_err(|reason| not_configured(&reason))
}

/// Whether `SESSILE_LOG` asks for lines. Off by default: they have the names of clients, which a
/// deletion of the session does not reach, and the platform charges for each.
fn logs(env: &Env) -> Result<bool, ErrorInfo> {
    match variable(env, "SESSILE_LOG").as_deref() {
        None | Some("" | "0") => Ok(false),
        Some("1") => Ok(true),
        Some(_) => Err(not_configured("SESSILE_LOG is not 1")),
    }
}

/// Whether there is a binding of this name.
fn is_bound(env: &Env, name: &str) -> bool {
    Reflect::get(env, &name.into()).is_ok_and(|binding| binding.is_object())
}

/// The names of the bindings that agents may be reached by.
fn bindings(env: &Env) -> Bindings {
    let names = bindings_of(env).ok().and_then(|names| names.as_string());
    serde_json::from_str(&names.unwrap_or_default()).unwrap_or_default()
}

/// The limits that hold. Without a bucket a file has none of its bytes, so that no client offers
/// what the deployment cannot keep (P11.7).
fn limits(env: &Env) -> Result<Limits, ErrorInfo> {
    let json = variable(env, "SESSILE_LIMITS").unwrap_or_else(|| "{}".to_owned());
    let mut limits: Limits = serde_json::from_str(&json).map_err(|error| {
        let reason: String = error.to_string().chars().take(200).collect();
        not_configured(&format!(
            "SESSILE_LIMITS is not an object from names of limits to numbers: {reason}"
        ))
    })?;
    if !is_bound(env, "FILES") {
        limits.file_bytes = 0;
    }
    Ok(limits)
}
