//! The Durable Object class: one object is one session.
//!
//! The exports are written out and not made by `worker`'s macro: they take a message without a
//! promise for each, and look at its length before it is copied into the wasm.

use std::rc::Rc;

use worker::js_sys::futures::JsFuture;
use worker::wasm_bindgen::prelude::*;
use worker::web_sys::{Request, Response, WebSocket};
use worker::worker_sys::{DurableObjectState, WebSocketPair, WebSocketRequestResponsePair};
use worker::{Env, State, console_error};

use super::diagnostics;
use super::incoming::Incoming;
use super::requests;
use super::shell::{Lost, Outcome, Shell};
use crate::cloudflare::call::{Action, CALL_HEADER, Call, Opening, STALE_HEADER, failed};
use crate::cloudflare::platform::http::{Answer, json, refusal};
use crate::cloudflare::platform::js;
use crate::cloudflare::platform::panics;
use crate::cloudflare::platform::upgrade::{ends, upgraded};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::ConnectionId;
use crate::session::{self, Carrier, Chains, Connection, Input, Sender, Start};
use crate::token::Grant;

/// A session's object.
#[wasm_bindgen]
pub struct SessionObject {
    shell: Rc<Shell>,
    incoming: Rc<Incoming>,
}

#[wasm_bindgen]
impl SessionObject {
    /// Called by the runtime whenever the object wakes.
    #[wasm_bindgen(constructor)]
    pub fn new(ctx: DurableObjectState, env: Env) -> Self {
        panics::install();
        // Made anew on a `ctx` that has had an object: a panic took that one's memory, while
        // its sockets and timers live on. Only a reset makes it whole.
        let is_again = js::is_known(ctx.as_ref()).unwrap_or(false);
        let shell = Shell::new(State::from(ctx), env);
        if is_again {
            shell.lose("the session lost its memory to a panic elsewhere");
        } else if let Err(error) = answer_pings(&shell.state) {
            console_error!("unable to answer pings asleep: {}", js::describe(&error));
        }
        let incoming = Incoming::new(&shell);
        Self { shell, incoming }
    }

    /// A call of the Worker.
    pub async fn fetch(&self, request: Request) -> Result<JsValue, JsValue> {
        let (shell, incoming) = (Rc::clone(&self.shell), Rc::clone(&self.incoming));
        answer(&shell, &incoming, &request).await.map(JsValue::from)
    }

    /// A message of a connection.
    #[wasm_bindgen(js_name = webSocketMessage)]
    pub fn web_socket_message(&self, socket: WebSocket, message: JsValue) {
        self.shell.run(|| self.incoming.message(&socket, &message));
    }

    /// A connection has ended.
    #[wasm_bindgen(js_name = webSocketClose)]
    pub fn web_socket_close(&self, socket: WebSocket) {
        self.shell.run(|| self.incoming.closed(&socket));
    }

    /// A connection has failed.
    #[wasm_bindgen(js_name = webSocketError)]
    pub fn web_socket_error(&self, socket: WebSocket) {
        self.shell.run(|| self.incoming.closed(&socket));
    }

    /// The alarm rang.
    pub async fn alarm(&self) {
        let shell = Rc::clone(&self.shell);
        shell.alarm().await;
    }
}

/// Sets what is answered without waking (P7.2).
fn answer_pings(state: &State) -> Result<(), JsValue> {
    let pair = WebSocketRequestResponsePair::new("ping", "pong")?;
    state.as_raw().set_websocket_auto_response(&pair)
}

async fn answer(shell: &Rc<Shell>, incoming: &Incoming, request: &Request) -> Answer {
    let call = request.headers().get(CALL_HEADER)?;
    let call = call.and_then(|call| serde_json::from_str::<Call>(&call).ok());
    let Some(Call { grant, action }) = call else {
        return refusal(&failed("it was asked nothing"));
    };
    let body = match request.method().as_str() {
        "POST" => JsFuture::from(request.text()?)
            .await?
            .as_string()
            .unwrap_or_default(),
        _ => String::new(),
    };
    if shell.is_lost() {
        return stale();
    }
    match action {
        Action::Open(opening) => open(shell, grant, opening),
        Action::Diagnostics => match diagnostics::report(shell) {
            Ok(report) => json(200, &report),
            Err(Lost) => lost(),
        },
        action => ask(shell, incoming, &grant, action, &body).await,
    }
}

/// One question, one answer.
async fn ask(
    shell: &Rc<Shell>,
    incoming: &Incoming,
    grant: &Grant,
    action: Action,
    body: &str,
) -> Answer {
    let Ok(limits) = shell.with(|core| Ok(core.limits.clone())) else {
        return lost();
    };
    // A request that cannot be read is refused like any other, so that it counts (P14).
    let request = requests::read(action, body, &limits);
    let request = request.unwrap_or_else(|error| session::Request::Shorthand(Err(error)));
    shell.run(|| incoming.provoke(&request));
    let sender = Sender::from_grant(grant);
    let outcome = match shell.feed(Input::Request { sender, request }) {
        Ok(Outcome {
            erase: Some(rest), ..
        }) => shell.erase(rest).await,
        outcome => outcome,
    };
    match outcome {
        Ok(Outcome {
            response: Some((status, body)),
            ..
        }) => json(status, &body),
        Ok(_) => refusal(&failed("it gave no answer")),
        Err(Lost) => lost(),
    }
}

/// Accepts a connection, so that it outlives the object's sleep.
fn open(shell: &Rc<Shell>, grant: Grant, opening: Opening) -> Answer {
    let Some(id) = draw(opening.carrier) else {
        return refusal(&failed("it draws no names"));
    };
    // Awake first, so that the new socket is not taken for one that outlived a sleep.
    if shell.with(|_| Ok(())).is_err() {
        return lost();
    }
    let (client, server) = ends(WebSocketPair::new()?)?;
    shell.state.as_raw().accept_websocket(&server)?;
    let is_probed = opening.carrier == Carrier::Socket && js::unsent_of(&server).is_none();
    let connection = Connection {
        id,
        carrier: opening.carrier,
        client: grant.client,
        name: grant.name,
        role: grant.role,
        operations: grant.operations,
        expires_at: grant.expires_at,
        window_ms: opening.window_ms,
        names: opening.names,
        told: None,
        heard_at: 0,
        member: None,
        chains: Chains::default(),
        is_probed,
    };
    let start = Start {
        since: opening.since,
        rewind: opening.rewind,
    };
    let added = shell.with(|core| {
        core.sockets.add(&connection, server);
        Ok(())
    });
    if added.is_err() {
        return lost();
    }
    shell.feed_and_forget(Input::Open { connection, start });
    if shell.is_lost() {
        return lost();
    }
    upgraded(&client, opening.has_protocol)
}

/// A name for a connection, at random.
fn draw(carrier: Carrier) -> Option<ConnectionId> {
    let random = getrandom::u64().ok()?;
    let prefix = if carrier == Carrier::Body {
        ConnectionId::BODY_PREFIX
    } else {
        ""
    };
    Some(ConnectionId::new(format!("{prefix}{random:016x}")))
}

/// The answer of an object that failed at this.
fn lost() -> Answer {
    refusal(&failed("it failed; what was asked may have happened"))
}

/// The answer of an object that did nothing, since it is about to be reset.
fn stale() -> Answer {
    let error = ErrorInfo::new(
        ErrorCode::Internal,
        "unable to answer; the session is reset",
    );
    let response: Response = refusal(&error)?;
    response.headers().set(STALE_HEADER, "1")?;
    Ok(response)
}
