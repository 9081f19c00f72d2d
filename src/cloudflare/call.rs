//! Calls to an object: by the Worker, and by a session to an inbox.
//!
//! A call travels as JSON in one header of a request that the program makes itself, so no client's
//! input can pass for a call. A body is passed through unchanged.

use serde::{Deserialize, Serialize};
use worker::Env;
use worker::js_sys::futures::JsFuture;
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::web_sys::{Headers, Request, RequestInit, Response};

use crate::cloudflare::platform::js;
use crate::machine::Carrier;
use crate::protocol::error::{ErrorCode, ErrorInfo};

/// The header that carries a [`Call`].
pub(crate) const CALL_HEADER: &str = "sessile-call";
/// The header of an answer by an object that is about to reset itself and did nothing.
pub(crate) const STALE_HEADER: &str = "sessile-stale";

/// One call: the operation and its client; `G` is a machine's grant, `A` the query of its attach.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Call<G, A> {
    /// The token's grant.
    pub(crate) grant: G,
    /// The operation.
    pub(crate) ask: Ask<A>,
}

/// The operations of an object.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask<A> {
    /// A connection; the request is an upgrade.
    Open(Opening<A>),
    /// One request, one response.
    Answer(Question),
}

/// How a connection will be served.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Opening<A> {
    /// Its use.
    pub(crate) carrier: Carrier,
    /// Whether the client offered `sessile.v1` (P2.4).
    pub(crate) has_protocol: bool,
    /// The query.
    pub(crate) attach: A,
}

/// A line of the table of routes, with the values in the address and the query.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Question {
    /// The line's method.
    pub(crate) method: String,
    /// The line's path, with the names of its parameters.
    pub(crate) path: String,
    /// The values of the address's parameters, decoded.
    pub(crate) params: Vec<String>,
    /// The query, decoded and without a token.
    pub(crate) pairs: Vec<(String, String)>,
}

/// The refusal when an object fails; `thing` names the object.
pub(crate) fn failed(thing: &str, reason: &str) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::Internal,
        format!("unable to reach the {thing}; {reason}"),
    )
}

/// A request that carries a call, as JSON.
///
/// # Errors
/// When the runtime refuses.
pub(crate) fn request(
    call: &str,
    is_upgrade: bool,
    body: Option<&str>,
) -> Result<Request, JsValue> {
    let headers = Headers::new()?;
    headers.set(CALL_HEADER, &ascii(call))?;
    if is_upgrade {
        headers.set("upgrade", "websocket")?;
    }
    let init = RequestInit::new();
    init.set_headers(&headers);
    if let Some(body) = body {
        init.set_method("POST");
        init.set_body(&body.into());
    }
    Request::new_with_str_and_init("https://object/", &init)
}

/// Sends a request to the object of a name, in the class of a binding.
///
/// # Errors
/// When the object fails.
pub(crate) async fn reach(
    env: &Env,
    binding: &str,
    name: &str,
    request: &Request,
) -> worker::Result<Response> {
    let objects = env.durable_object(binding)?;
    let stub = objects.get_by_name(name)?;
    let promise = stub.into_rpc::<js::Stub>().fetch(request)?;
    Ok(JsFuture::from(promise).await?.dyn_into()?)
}

/// Whether an object did nothing, since it is about to be reset.
pub(crate) fn is_stale(response: &Response) -> bool {
    response.headers().has(STALE_HEADER).unwrap_or(false)
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
