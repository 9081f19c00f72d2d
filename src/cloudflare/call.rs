//! What the Worker asks of a session's object, and the way there.
//!
//! A call travels as JSON in one header of a request that the Worker makes itself, so nothing
//! that a client sends can pass for one.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use worker::Env;
use worker::js_sys::futures::JsFuture;
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::web_sys::{Headers, Request, RequestInit, Response};

use super::js;
use super::time::within;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::session::Carrier;
use crate::token::Grant;

/// The header that carries a [`Call`].
pub(super) const CALL_HEADER: &str = "sessile-call";
/// The header of an answer by an object that is about to reset itself and did nothing.
pub(super) const STALE_HEADER: &str = "sessile-stale";
/// The binding of the objects.
const BINDING: &str = "SESSIONS";
/// How long an object may take to answer: longer than any work that it does at once.
const ANSWER_MS: u64 = 30_000;
/// How often a call is made again when it met an object that was about to reset itself.
const TRIES: usize = 4;
/// How long such an object is given.
const RESET_MS: u64 = 20;

/// What is asked, and by whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Call {
    /// Who asks, as the token says.
    pub(super) grant: Grant,
    /// What for.
    pub(super) action: Action,
}

/// What may be asked of an object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Action {
    /// A connection; the request is an upgrade.
    Open(Opening),
    /// `POST …/frames`; the body is a frame or an array.
    Frames,
    /// `POST …/messages`; the body is a message or an array.
    Publish,
    /// `PATCH …/messages/{serial}`; the body has the fields of an `update`.
    Update(String),
    /// `DELETE …/messages/{serial}`; the body may say `ifVersion`.
    Delete(String, Option<String>),
    /// `GET …/messages`.
    History {
        /// Older than this serial.
        before: Option<String>,
        /// Newer than this serial.
        after: Option<String>,
        /// How many.
        limit: usize,
    },
    /// `GET …/messages?to=`.
    Conversation {
        /// The message that it leads to.
        to: String,
        /// Where the page before ended.
        before: Option<String>,
        /// How many.
        limit: usize,
    },
    /// `GET …/messages/{serial}`, or the end of a streamed body, which needs no data.
    Message(String, bool),
    /// `GET …/turns`.
    Turns {
        /// Whether final ones are meant as well.
        all: bool,
        /// Older than this serial.
        before: Option<String>,
        /// How many.
        limit: usize,
    },
    /// `GET …/turns/{id}`.
    Turn(String),
    /// `POST …/turns`; the body has the fields of a `turn.start`.
    StartTurn,
    /// `POST …/turns/{id}/end`; the body has the fields of a `turn.end`.
    EndTurn(String),
    /// `POST …/turns/{id}/cancel`; the body may have the fields of a `cancel`.
    CancelTurn(String),
    /// `GET …/presence`.
    Presence,
    /// `GET …`: how many messages.
    Snapshot(usize),
    /// `PATCH …`; the body says `settings`.
    Settings,
    /// `DELETE …`.
    Erase,
    /// `GET …/diagnostics`.
    Diagnostics,
}

/// How a connection is to be served.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Opening {
    /// What it is for.
    pub(super) carrier: Carrier,
    /// Whether the client offered `sessile.v1` (P2.4).
    pub(super) has_protocol: bool,
    /// The position to resume after.
    pub(super) since: Option<String>,
    /// How many messages to go back otherwise.
    pub(super) rewind: usize,
    /// The rollup window.
    pub(super) window_ms: u64,
    /// Only messages of these names.
    pub(super) names: Option<Vec<String>>,
}

impl Opening {
    /// A connection that writes and reads nothing but its answers.
    pub(super) fn writer(carrier: Carrier) -> Self {
        let (since, names) = (None, None);
        Self {
            carrier,
            has_protocol: false,
            since,
            rewind: 0,
            window_ms: 0,
            names,
        }
    }
}

impl Call {
    /// Makes the call; the answer is the object's response as it is.
    ///
    /// # Errors
    /// `internal`, when the object fails or does not answer. It is not known then what it did.
    pub(super) async fn make(
        &self,
        env: &Env,
        session: &str,
        body: Option<&str>,
    ) -> Result<Response, ErrorInfo> {
        for _ in 1..TRIES {
            let response = self.try_once(env, session, body).await?;
            if !is_stale(&response) {
                return Ok(response);
            }
            worker::Delay::from(Duration::from_millis(RESET_MS)).await;
        }
        self.try_once(env, session, body).await
    }

    async fn try_once(
        &self,
        env: &Env,
        session: &str,
        body: Option<&str>,
    ) -> Result<Response, ErrorInfo> {
        let request = self
            .request(body)
            .map_err(|error| failed(&js::describe(&error)))?;
        let answer = ask(env, session, &request);
        match within(Duration::from_millis(ANSWER_MS), answer).await {
            Some(Ok(response)) => Ok(response),
            Some(Err(_)) => Err(failed("it was reset; what was asked may have happened")),
            None => Err(failed(
                "it did not answer in time; what was asked may have happened",
            )),
        }
    }

    fn request(&self, body: Option<&str>) -> Result<Request, JsValue> {
        let headers = Headers::new()?;
        let call = serde_json::to_string(self).map_err(|error| error.to_string())?;
        headers.set(CALL_HEADER, &ascii(&call))?;
        if matches!(self.action, Action::Open(_)) {
            headers.set("upgrade", "websocket")?;
        }
        let init = RequestInit::new();
        init.set_headers(&headers);
        if let Some(body) = body {
            init.set_method("POST");
            init.set_body(&body.into());
        }
        Request::new_with_str_and_init("https://session/", &init)
    }
}

async fn ask(env: &Env, session: &str, request: &Request) -> worker::Result<Response> {
    let stub = env.durable_object(BINDING)?.get_by_name(session)?;
    let promise = stub.into_rpc::<js::Stub>().fetch(request)?;
    Ok(JsFuture::from(promise).await?.dyn_into()?)
}

fn is_stale(response: &Response) -> bool {
    response.headers().has(STALE_HEADER).unwrap_or(false)
}

/// The refusal when an object fails.
pub(super) fn failed(reason: &str) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::Internal,
        format!("unable to reach the session; {reason}"),
    )
}

/// JSON with everything beyond ASCII escaped, since a header carries nothing else.
fn ascii(json: &str) -> String {
    if json.is_ascii() {
        return json.to_owned();
    }
    let mut escaped = String::with_capacity(json.len() * 2);
    for character in json.chars() {
        if character.is_ascii() {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    }
    escaped
}
