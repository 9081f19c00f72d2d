//! The Worker's end of a connection that it keeps for a client without WebSocket: event streams
//! (P3.8), lines (P12.1) and streamed bodies (P5.5).
//!
//! The object accepts it like any other, so that it may sleep while the stream goes on.

use std::task::{Context, Poll};

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use worker::wasm_bindgen::JsCast;
use worker::wasm_bindgen::closure::Closure;
use worker::web_sys::{CloseEvent, MessageEvent, Response, WebSocket};
use worker::worker_sys::ext::{ResponseExt, WebSocketExt};

use super::asked::Asked;
use crate::cloudflare::call::{as_json, failed};
use crate::cloudflare::platform::js::describe;
use crate::machine::Carrier;
use crate::protocol::error::{ErrorCode, ErrorInfo, close};
use crate::protocol::query::Attach;

/// A message of the session.
pub(super) enum Said {
    /// A frame or an array of frames.
    Text(String),
    /// It closed the connection with this code.
    Closed(u16),
}

/// A connection to a session.
pub(super) struct Link {
    end: WebSocket,
    said: UnboundedReceiver<Said>,
    on_message: Closure<dyn FnMut(MessageEvent)>,
    on_close: Closure<dyn FnMut(CloseEvent)>,
}

/// The code for a connection that ended without one.
const ABNORMAL: u16 = 1006;

impl Link {
    /// Opens a connection for a client.
    ///
    /// # Errors
    /// `internal`, when the object fails.
    pub(super) async fn open(
        asked: &Asked<'_>,
        carrier: Carrier,
        attach: &Attach,
    ) -> Result<Self, ErrorInfo> {
        let response = asked.open(carrier, as_json(attach)).await?;
        Self::of(&response)
    }

    /// The connection that an object accepted.
    ///
    /// # Errors
    /// `internal` when it accepted none.
    pub(super) fn of(response: &Response) -> Result<Self, ErrorInfo> {
        let Some(end) = response.websocket() else {
            return Err(failed("session", "it accepted no connection"));
        };
        Self::listen(end).map_err(|error| failed("session", &describe(&error)))
    }

    /// Our end of a connection, which is accepted.
    ///
    /// # Errors
    /// When the runtime refuses.
    pub(super) fn listen(end: WebSocket) -> Result<Self, worker::wasm_bindgen::JsValue> {
        let (sender, said) = unbounded();
        let closing = sender.clone();
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                // Fails only without a listener.
                let _ = sender.unbounded_send(Said::Text(text));
            }
        });
        let on_close = Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| {
            let code = event
                .dyn_ref::<CloseEvent>()
                .map_or(ABNORMAL, CloseEvent::code);
            let _ = closing.unbounded_send(Said::Closed(code));
        });
        let link = Self {
            end,
            said,
            on_message,
            on_close,
        };
        for (name, listener) in link.listeners() {
            link.end.add_event_listener_with_callback(name, listener)?;
        }
        link.end.accept()?;
        Ok(link)
    }

    fn listeners(&self) -> [(&'static str, &worker::js_sys::Function); 3] {
        let (message, close) = (self.on_message.as_ref(), self.on_close.as_ref());
        [
            ("message", message.unchecked_ref()),
            ("close", close.unchecked_ref()),
            ("error", close.unchecked_ref()),
        ]
    }

    /// Sends a message. A message to a connection that is ending is lost: the end follows.
    pub(super) fn send(&self, text: &str) {
        let _ = self.end.send_with_str(text);
    }

    /// Closes it with a code.
    pub(super) fn close(&self, code: u16) {
        let _ = self.end.close_with_code(code);
    }

    /// The session's next message.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Said> {
        self.said
            .poll_next_unpin(context)
            .map(|said| said.unwrap_or(Said::Closed(ABNORMAL)))
    }
}

/// The refusal for a close code (P13.3).
pub(super) fn ended(code: u16) -> ErrorInfo {
    let (error, reason) = match code {
        close::UNAUTHORIZED => (ErrorCode::Unauthorized, "the token expired"),
        close::FORBIDDEN => (ErrorCode::Forbidden, "the token no longer grants it"),
        close::GONE => (ErrorCode::Gone, "the session is being deleted"),
        close::TOO_LARGE => (ErrorCode::TooLarge, "the message is too large"),
        close::TOO_FAST => (ErrorCode::RateLimited, "it was sent too fast"),
        close::PROTOCOL_ERROR => (ErrorCode::InvalidFrame, "it does not speak the protocol"),
        _ => {
            let reason = "it was reset; what was asked may have happened";
            return failed("session", reason);
        }
    };
    ErrorInfo::new(error, format!("unable to go on; {reason}"))
}

impl Drop for Link {
    fn drop(&mut self) {
        for (name, listener) in self.listeners() {
            let _ = self.end.remove_event_listener_with_callback(name, listener);
        }
        // It may be closed already.
        let _ = self.end.close_with_code(1000);
    }
}
