//! Calls to an object: by the Worker, and by a session to an inbox.
//!
//! A call travels as JSON in one header of a request that the program makes itself, so no client's
//! input can pass for a call. A body is passed through unchanged.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use worker::Env;
use worker::js_sys::futures::JsFuture;
use worker::wasm_bindgen::prelude::*;
use worker::web_sys::{Headers, Request, RequestInit, Response};

use crate::cloudflare::platform::js;
use crate::machine::Carrier;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::object::read_fields;

/// The header that carries a [`Call`].
pub(crate) const CALL_HEADER: &str = "sessile-call";
/// The header of an answer by an object that is about to reset itself and did nothing.
pub(crate) const STALE_HEADER: &str = "sessile-stale";

/// One call: the operation and its client. Grant and query are JSON, since each machine has its own
/// and both programs would be compiled anew for each.
#[derive(Debug, Serialize)]
pub(crate) struct Call {
    /// The token's grant in the machine.
    pub(crate) grant: Box<RawValue>,
    /// The operation.
    pub(crate) ask: Ask,
}

read_fields!(Call { grant, ask });

/// The operations of an object, of which a call has one.
#[derive(Debug, Serialize)]
pub(crate) struct Ask {
    /// A connection; the request is an upgrade.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) open: Option<Opening>,
    /// One request, one response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<Question>,
}

read_fields!(Ask { open, answer });

impl From<Opening> for Ask {
    fn from(opening: Opening) -> Self {
        Self {
            open: Some(opening),
            answer: None,
        }
    }
}

impl From<Question> for Ask {
    fn from(question: Question) -> Self {
        Self {
            open: None,
            answer: Some(question),
        }
    }
}

/// How a connection will be served.
#[derive(Debug, Serialize)]
pub(crate) struct Opening {
    /// Its use.
    pub(crate) carrier: Carrier,
    /// Whether the client offered `sessile.v1` (P2.4).
    pub(crate) has_protocol: bool,
    /// The query of the machine's attach.
    pub(crate) attach: Box<RawValue>,
}

read_fields!(Opening {
    carrier,
    has_protocol,
    attach
});

/// A line of the table of routes, with the values in the address and the query.
#[derive(Debug, Serialize)]
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

read_fields!(Question {
    method,
    path,
    params,
    pairs,
});

/// A grant or a query as JSON.
pub(crate) fn as_json(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
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
    match call.is_ascii() {
        true => headers.set(CALL_HEADER, call)?,
        false => headers.set(CALL_HEADER, &ascii(call))?,
    }
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

#[wasm_bindgen(module = "/src/cloudflare/platform/ask.js")]
extern "C" {
    /// JSON with everything beyond ASCII escaped, since a header carries nothing else.
    fn ascii(json: &str) -> String;
}
