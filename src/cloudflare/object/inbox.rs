//! The class of inboxes: one object for each client, and one for each role (P15).
//!
//! `worker`'s macro makes the exports that are called once per request or alarm. Messages are
//! handled by hand here as well: the macro copies each into the wasm before its length is known
//! (`docs/decisions/0005`).

use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::web_sys::WebSocket;
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use super::class::Class;
use super::entry::Object;
use super::post::deliver;
use crate::inbox::{Delivered, Delivery, Inbox};

/// An inbox's object.
#[durable_object(alarm)]
pub struct InboxObject(Object<Inbox>);

impl DurableObject for InboxObject {
    fn new(state: State, env: Env) -> Self {
        Self(Object::new(state, env))
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let object = self.0.clone();
        let request = request.inner().clone()?;
        Ok(object.fetch(request).await?.into())
    }

    async fn alarm(&self) -> Result<Response> {
        let object = self.0.clone();
        object.alarm().await;
        Response::empty()
    }
}

#[wasm_bindgen]
impl InboxObject {
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
}

impl Class for Inbox {
    const THING: &'static str = "inbox";

    async fn deliver(env: Env, delivery: Delivery) -> Delivered {
        deliver(&env, delivery).await
    }
}
