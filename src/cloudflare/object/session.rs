//! The class of sessions: one object is one session.
//!
//! The exports are written by hand instead of by `worker`'s macro: they handle a message without a
//! promise for each, and check its length before it is copied into the wasm
//! (`docs/decisions/0005`).

use worker::wasm_bindgen::prelude::*;
use worker::web_sys::{Request, WebSocket};
use worker::worker_sys::DurableObjectState;
use worker::{Env, State};

use super::class::Class;
use super::deliver::deliver;
use super::diagnostics;
use super::entry::Object;
use super::loaded::Core;
use crate::protocol::decode::Received;
use crate::session::{self, Delivered, Delivery, Session};

/// A session's object.
#[wasm_bindgen]
pub struct SessionObject(Object<Session>);

#[wasm_bindgen]
impl SessionObject {
    /// Called by the runtime whenever the object wakes.
    #[wasm_bindgen(constructor)]
    pub fn new(ctx: DurableObjectState, env: Env) -> Self {
        Self(Object::new(State::from(ctx), env))
    }

    /// A call of the Worker.
    pub async fn fetch(&self, request: Request) -> Result<JsValue, JsValue> {
        let object = self.0.clone();
        object.fetch(request).await.map(JsValue::from)
    }

    /// A message of a connection.
    #[wasm_bindgen(js_name = webSocketMessage)]
    pub fn web_socket_message(&self, socket: WebSocket, message: JsValue) {
        self.0.message(&socket, &message);
    }

    /// A connection has ended.
    #[wasm_bindgen(js_name = webSocketClose)]
    pub fn web_socket_close(&self, socket: WebSocket) {
        self.0.closed(&socket);
    }

    /// A connection has failed.
    #[wasm_bindgen(js_name = webSocketError)]
    pub fn web_socket_error(&self, socket: WebSocket) {
        self.0.closed(&socket);
    }

    /// The alarm rang.
    pub async fn alarm(&self) {
        let object = self.0.clone();
        object.alarm().await;
    }
}

impl Class for Session {
    const THING: &'static str = "session";

    async fn deliver(env: Env, delivery: Delivery) -> Delivered {
        deliver(env, delivery).await
    }

    fn frames(request: &session::Request) -> &[Received] {
        match request {
            session::Request::Frame(received) => std::slice::from_ref(received),
            session::Request::Frames(frames) => frames,
            _ => &[],
        }
    }

    fn report(name: String, core: &Core<Self>) -> String {
        diagnostics::report(name, core)
    }
}
