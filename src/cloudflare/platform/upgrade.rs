//! The answer to an upgrade to a WebSocket (P2.4).

use worker::wasm_bindgen::JsValue;
use worker::web_sys::{Headers, Response, ResponseInit, WebSocket};
use worker::worker_sys::WebSocketPair;
use worker::worker_sys::ext::ResponseInitExt;

use super::http::Answer;

/// The subprotocol of this version (P2.4).
pub(crate) const PROTOCOL: &str = "sessile.v1";

/// The two ends of a new WebSocket: the client's and ours.
pub(crate) fn ends(mut pair: WebSocketPair) -> Result<(WebSocket, WebSocket), JsValue> {
    Ok((pair.client()?, pair.server()?))
}

/// The answer to an upgrade.
pub(crate) fn upgraded(client: &WebSocket, has_protocol: bool) -> Answer {
    let headers = Headers::new()?;
    if has_protocol {
        headers.set("sec-websocket-protocol", PROTOCOL)?;
    }
    let mut init = ResponseInit::new();
    init.set_status(101);
    init.set_headers(&headers);
    init.websocket(client)?;
    Response::new_with_opt_str_and_init(None, &init)
}
