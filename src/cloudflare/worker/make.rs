//! A call to an object, and its answer.

use std::time::Duration;

use worker::Env;
use worker::web_sys::Response;

use super::admit::Place;
use crate::cloudflare::call::{Call, failed, is_stale, reach, request};
use crate::cloudflare::platform::js;
use crate::cloudflare::platform::time::within;
use crate::protocol::error::ErrorInfo;

/// How long an object may take to answer: longer than any uninterrupted work.
const ANSWER_MS: u64 = 30_000;
/// How often a call is repeated after it met an object that was about to reset itself.
const TRIES: usize = 4;
/// How long such an object is given.
const RESET_MS: u64 = 20;

/// Makes a call; returns the object's response unchanged.
///
/// # Errors
/// `internal`, when the object fails or does not answer. It is not known then what it did.
pub(super) async fn make(
    env: &Env,
    place: &Place,
    call: &Call,
    body: Option<&str>,
) -> Result<Response, ErrorInfo> {
    let is_upgrade = call.ask.open.is_some();
    let call = serde_json::to_string(call).unwrap_or_default();
    for _ in 1..TRIES {
        let response = try_once(env, place, &call, is_upgrade, body).await?;
        if !is_stale(&response) {
            return Ok(response);
        }
        worker::Delay::from(Duration::from_millis(RESET_MS)).await;
    }
    try_once(env, place, &call, is_upgrade, body).await
}

async fn try_once(
    env: &Env,
    place: &Place,
    call: &str,
    is_upgrade: bool,
    body: Option<&str>,
) -> Result<Response, ErrorInfo> {
    let failed = |reason: &str| failed(place.thing, reason);
    let request = request(call, is_upgrade, body).map_err(|error| failed(&js::describe(&error)))?;
    let answer = reach(env, place.binding, &place.name, &request);
    match within(Duration::from_millis(ANSWER_MS), answer).await {
        Some(Ok(response)) => Ok(response),
        Some(Err(_)) => Err(failed("it was reset; what was asked may have happened")),
        None => Err(failed(
            "it did not answer in time; what was asked may have happened",
        )),
    }
}
