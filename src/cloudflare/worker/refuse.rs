//! Refusals in a form that the client can see (P2.5).

use worker::web_sys::Request;
use worker::worker_sys::WebSocketPair;
use worker::worker_sys::ext::WebSocketExt;

use super::pipe::Pipe;
use crate::cloudflare::platform::http::{Answer, refusal, streamed};
use crate::cloudflare::platform::upgrade::{ends, upgraded};
use crate::protocol::error::{ErrorCode, ErrorInfo, close};
use crate::protocol::frame::ServerFrame;

/// The close code of a temporary failure: reconnect.
const TRY_AGAIN: u16 = 1013;

/// The awaited kind of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// JSON with a status.
    Plain,
    /// A WebSocket, with `sessile.v1` among the subprotocols on offer or not.
    Socket { has_protocol: bool },
    /// An event stream, also of a refusal.
    Events,
}

/// The refusal of a request. A browser sees neither status nor body of an upgrade that fails,
/// so a WebSocket is accepted, told and closed.
pub(super) fn refuse(shape: Shape, error: &ErrorInfo) -> Answer {
    match shape {
        // P2.7: every client must see by the status that nobody can be served.
        _ if error.code == ErrorCode::NotConfigured => refusal(error),
        Shape::Plain => refusal(error),
        Shape::Socket { has_protocol } => {
            let pair = WebSocketPair::new()?;
            let (client, server) = ends(pair)?;
            server.accept()?;
            server.send_with_str(&nack(error))?;
            server.close_with_code_and_reason(close_code(error.code), error.code.as_str())?;
            upgraded(&client, has_protocol)
        }
        Shape::Events => {
            let pipe = Pipe::new();
            pipe.write(&format!("data: {}\n\n", nack(error)));
            pipe.write(&closing(close_code(error.code)));
            pipe.end();
            // An EventSource gives up at any status but 200, and reconnects otherwise.
            let is_final = close_code(error.code) != TRY_AGAIN;
            let status = if is_final { error.status } else { 200 };
            streamed(status, "text/event-stream", &pipe.body())
        }
    }
}

/// The event that an event stream ends with.
pub(super) fn closing(code: u16) -> String {
    format!("data: {{\"type\":\"closing\",\"code\":{code}}}\n\n")
}

/// The subprotocols that a request offers.
pub(super) fn offered(request: &Request) -> Vec<String> {
    let list = request
        .headers()
        .get("sec-websocket-protocol")
        .ok()
        .flatten();
    let list = list.unwrap_or_default();
    list.split(',')
        .map(|protocol| protocol.trim().to_owned())
        .collect()
}

fn nack(error: &ErrorInfo) -> String {
    ServerFrame::Nack {
        r#ref: None,
        error: error.clone(),
    }
    .encode()
}

fn close_code(code: ErrorCode) -> u16 {
    match code {
        ErrorCode::Unauthorized => close::UNAUTHORIZED,
        ErrorCode::Forbidden => close::FORBIDDEN,
        ErrorCode::Internal | ErrorCode::NotConfigured => TRY_AGAIN,
        _ => close::PROTOCOL_ERROR,
    }
}
