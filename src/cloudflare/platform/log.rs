//! Refusals in the log of the deployment (P13.2).

use worker::console_warn;

use crate::protocol::error::ErrorInfo;

/// Logs a refusal for the deployment's owner: the request, and the reason.
pub(crate) fn note(asked: &str, error: &ErrorInfo) {
    log(asked, error.status, error.code.as_str(), &error.message);
}

/// Logs a refusal given in parts.
pub(crate) fn log(asked: &str, status: u16, code: &str, message: &str) {
    let line = format!("refused {asked}: {status} {code}, {message}");
    console_warn!("{}", line.replace(char::is_control, " "));
}
