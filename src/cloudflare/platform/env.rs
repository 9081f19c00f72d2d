//! The owner's settings of the deployment, as text.

use worker::Env;
use worker::js_sys::{JSON, Reflect};

use crate::protocol::error::{ErrorCode, ErrorInfo};

/// A variable or secret as text; a variable that is JSON in the configuration, as JSON.
pub(crate) fn variable(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &name.into()).ok()?;
    if value.is_undefined() || value.is_null() {
        return None;
    }
    value
        .as_string()
        .or_else(|| JSON::stringify(&value).ok().map(String::from))
}

/// The refusal of everything while a setting is missing or wrong (P2.7).
pub(crate) fn not_configured(reason: &str) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::NotConfigured,
        format!("unable to serve; {reason}"),
    )
}
