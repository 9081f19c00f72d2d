//! The Worker: the program that admits and routes.

mod admit;
mod asked;
mod body;
mod development;
mod events;
mod exchange;
mod lines;
mod link;
mod make;
mod merged;
mod patience;
mod pipe;
mod refuse;
mod router;
mod sse;
mod text;
mod transfer;

use worker::Env;
use worker::js_sys::Promise;
use worker::js_sys::futures::future_to_promise;
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::web_sys::Request;

use crate::cloudflare::call::failed;
use crate::cloudflare::platform::{js, panics};

/// A request to the Worker.
#[wasm_bindgen]
pub fn fetch(request: Request, env: Env, _context: JsValue) -> Promise {
    panics::install();
    let lost = failed("session", "the Worker failed").body();
    let answer = async move { router::route(&request, &env).await.map(JsValue::from) };
    js::answer_of(&future_to_promise(answer), &lost)
}
