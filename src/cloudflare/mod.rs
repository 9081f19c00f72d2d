//! The platform: Cloudflare Workers and Durable Objects. Decides nothing.
//!
//! A request comes to the Worker (`router`), which checks its token and passes it on to the
//! session's object (`call`). The object (`session_object`, `shell`) turns everything that
//! happens into an input of the session, and performs the effects. What speaks no WebSocket is
//! bridged in the Worker (`sse`, `lines`, `body`), so that the object may sleep meanwhile.

mod address;
mod backlog;
mod body;
mod call;
mod chunks;
mod config;
mod diagnostics;
mod events;
mod exchange;
mod http;
mod incoming;
mod js;
mod keys;
mod lines;
mod link;
mod memory;
mod panics;
mod patience;
mod pipe;
mod refuse;
mod requests;
mod router;
mod session_object;
mod shell;
mod signatures;
mod sockets;
mod sql;
mod sse;
mod stalled;
mod text;
mod time;
mod wake;

use worker::Env;
use worker::js_sys::futures::future_to_promise;
use worker::js_sys::{Date, Promise};
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::web_sys::Request;

use crate::protocol::ids::Timestamp;

/// A request to the Worker.
#[wasm_bindgen]
pub fn fetch(request: Request, env: Env, _context: JsValue) -> Promise {
    panics::install();
    let lost = http::error_body(&call::failed("the Worker failed"));
    let answer = async move { router::route(&request, &env).await.map(JsValue::from) };
    js::answer_of(&future_to_promise(answer), &lost)
}

/// Milliseconds since the Unix epoch.
fn now() -> Timestamp {
    Date::now() as Timestamp
}
