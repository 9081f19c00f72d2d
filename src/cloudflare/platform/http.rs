//! Bodies in and answers out.

use worker::wasm_bindgen::JsValue;
use worker::web_sys::{Headers, ReadableStream, Response, ResponseInit};

use super::chunks::{Broken, Chunks};
use crate::protocol::decode::too_large;
use crate::protocol::error::{ErrorCode, ErrorInfo};

/// Headers that a page of another origin may send: those that event-stream clients and tracing
/// libraries add by themselves are no reason to refuse a page. `*` stands for all but
/// `authorization`, and not in every browser.
const ALLOWED_HEADERS: &str = "authorization, content-type, accept, cache-control, \
                               last-event-id, pragma, x-requested-with, *";

/// A response, or the exception thrown in making it.
pub(crate) type Answer = Result<Response, JsValue>;

/// Bytes read of a body that is too large, so that its client hears the refusal.
const DISCARDED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Reads a text body and stops beyond its bound, so that no more than that is ever held.
///
/// # Errors
/// `too-large`, or `invalid-frame` if it breaks off or is not UTF-8.
pub(crate) async fn read_all(
    body: Option<ReadableStream>,
    longest: usize,
) -> Result<String, ErrorInfo> {
    let mut body = Chunks::new(body);
    let mut bytes = Vec::new();
    let mut length = 0;
    let broken = |Broken| unreadable("it broke off");
    while let Some(chunk) = body.next().await.map_err(broken)? {
        length += chunk.len();
        if longest < length {
            // Nothing is kept, but a client that is cut off while sending hears no answer.
            bytes = Vec::new();
            if DISCARDED_BYTES_MAX < length {
                break;
            }
        } else {
            bytes.extend(chunk);
        }
    }
    if longest < length {
        return Err(too_large("read the body", length, longest));
    }
    String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8"))
}

/// The refusal of an unreadable body.
pub(crate) fn unreadable(reason: &str) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::InvalidFrame,
        format!("unable to read the body; {reason}"),
    )
}

/// An answer in JSON.
pub(crate) fn json(status: u16, body: &str) -> Answer {
    let headers = headers("application/json")?;
    Response::new_with_opt_str_and_init(Some(body), &init(status, &headers))
}

/// An answer without a body.
pub(crate) fn empty() -> Answer {
    Response::new_with_opt_str_and_init(None, &init(204, &headers("text/plain")?))
}

/// An error as the whole answer (P13.2).
pub(crate) fn refusal(error: &ErrorInfo) -> Answer {
    json(error.status, &error.body())
}

/// An answer whose body is still being produced: proxies must pass it on unbuffered and unchanged.
pub(crate) fn streamed(status: u16, content_type: &str, body: &ReadableStream) -> Answer {
    let headers = headers(content_type)?;
    headers.set("cache-control", "no-store, no-transform")?;
    headers.set("x-accel-buffering", "no")?;
    Response::new_with_opt_readable_stream_and_init(Some(body), &init(status, &headers))
}

/// The answer to a browser's preflight, for pages of any origin. No cookie grants anything.
pub(crate) fn preflight() -> Answer {
    let answer = empty()?;
    let headers = answer.headers();
    headers.set(
        "access-control-allow-methods",
        "GET, POST, PATCH, PUT, DELETE",
    )?;
    headers.set("access-control-allow-headers", ALLOWED_HEADERS)?;
    headers.set("access-control-max-age", "86400")?;
    Ok(answer)
}

fn headers(content_type: &str) -> Result<Headers, JsValue> {
    let headers = Headers::new()?;
    headers.set("content-type", content_type)?;
    headers.set("x-content-type-options", "nosniff")?;
    headers.set("cache-control", "no-store")?;
    headers.set("access-control-allow-origin", "*")?;
    Ok(headers)
}

fn init(status: u16, headers: &Headers) -> ResponseInit {
    let init = ResponseInit::new();
    init.set_status(status);
    init.set_headers(headers);
    init
}
