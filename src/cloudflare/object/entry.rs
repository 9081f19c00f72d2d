//! An object: the runtime's entry points, for a machine of any class.

use std::rc::Rc;

use worker::js_sys::futures::JsFuture;
use worker::wasm_bindgen::JsValue;
use worker::web_sys::{Request, Response, WebSocket};
use worker::worker_sys::{WebSocketPair, WebSocketRequestResponsePair};
use worker::{Env, State, console_error};

use super::class::Class;
use super::fault::provoke;
use super::incoming::Incoming;
use super::shell::{Lost, Outcome, Shell};
use crate::cloudflare::call::{Ask, CALL_HEADER, Call, Opening, Question, STALE_HEADER, failed};
use crate::cloudflare::platform::http::{Answer, empty, json, refusal};
use crate::cloudflare::platform::js;
use crate::cloudflare::platform::panics;
use crate::cloudflare::platform::upgrade::{ends, upgraded};
use crate::machine::{Attached, Carrier, Input};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::ConnectionId;
use crate::protocol::query::Parts;
use crate::protocol::routes::{self, Serve};

/// An object of a class.
pub(super) struct Object<M: Class> {
    shell: Rc<Shell<M>>,
    incoming: Rc<Incoming<M>>,
}

impl<M: Class> Clone for Object<M> {
    fn clone(&self) -> Self {
        Self {
            shell: Rc::clone(&self.shell),
            incoming: Rc::clone(&self.incoming),
        }
    }
}

impl<M: Class> Object<M> {
    /// Called by the runtime whenever the object wakes.
    pub(super) fn new(state: State, env: Env) -> Self {
        panics::install();
        // Made anew on a used `ctx`: a panic took the earlier object's memory, while its sockets
        // and timers live on. Only a reset makes the object whole.
        let is_again = js::is_known(state.as_raw().as_ref()).unwrap_or(false);
        let shell = Shell::new(state, env);
        if is_again {
            shell.lose("the object lost its memory to a panic elsewhere");
        } else if let Err(error) = answer_pings(&shell.state) {
            console_error!("unable to answer pings asleep: {}", js::describe(&error));
        }
        let incoming = Incoming::new(&shell);
        Self { shell, incoming }
    }

    /// A message of a connection.
    pub(super) fn message(&self, socket: &WebSocket, message: &JsValue) {
        self.shell.run(|| self.incoming.message(socket, message));
    }

    /// A connection has ended, or has failed.
    pub(super) fn closed(&self, socket: &WebSocket) {
        self.shell.run(|| self.incoming.closed(socket));
    }

    /// The alarm rang.
    pub(super) async fn alarm(&self) {
        self.shell.alarm().await;
    }

    /// A call of the Worker.
    pub(super) async fn fetch(&self, request: Request) -> Answer {
        let call = request.headers().get(CALL_HEADER)?;
        let call = call.and_then(|call| serde_json::from_str(&call).ok());
        let call = call.and_then(|call: Call| {
            let grant = serde_json::from_str(call.grant.get()).ok()?;
            Some((grant, call.ask))
        });
        let Some((grant, ask)) = call else {
            return refusal(&failed(M::THING, "it was asked nothing"));
        };
        let body = match request.method().as_str() {
            "POST" => JsFuture::from(request.text()?)
                .await?
                .as_string()
                .unwrap_or_default(),
            _ => String::new(),
        };
        if self.shell.is_lost() {
            return stale();
        }
        match ask {
            Ask {
                open: Some(opening),
                ..
            } => self.open(grant, &opening),
            Ask {
                answer: Some(question),
                ..
            } => self.answer(&grant, &question, &body).await,
            Ask { .. } => refusal(&failed(M::THING, "it was asked nothing")),
        }
    }

    /// One request, one response.
    async fn answer(&self, grant: &M::Grant, question: &Question, body: &str) -> Answer {
        let shell = &self.shell;
        let Some(route) = routes::named(&question.method, &question.path) else {
            return refusal(&failed(M::THING, "it was asked what it does not know"));
        };
        let decode = match route.serve {
            Serve::Answer(decode)
            | Serve::Lines(decode)
            | Serve::Body(decode)
            | Serve::Transfer(decode) => decode,
            Serve::Restart => {
                shell.lose("a development server restarts the object");
                return empty();
            }
            Serve::Report | Serve::Socket | Serve::Events | Serve::PushKey | Serve::File(_) => {
                return match shell
                    .with(|core| Ok(M::report(shell.name().unwrap_or_default(), core)))
                {
                    Ok(report) => json(200, &report),
                    Err(Lost) => lost(shell),
                };
            }
        };
        let parts = Parts {
            params: &question.params,
            pairs: &question.pairs,
            body,
        };
        let Ok(request) = shell.with(|core| Ok(M::request(decode, &parts, &core.limits))) else {
            return lost(shell);
        };
        shell.run(|| provoke(M::frames(&request)));
        let sender = M::sender(grant);
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
            Ok(_) => refusal(&failed(M::THING, "it gave no answer")),
            Err(Lost) => lost(shell),
        }
    }

    /// Accepts a connection, so that it outlives the object's sleep.
    fn open(&self, grant: M::Grant, opening: &Opening) -> Answer {
        let shell = &self.shell;
        let (carrier, has_protocol) = (opening.carrier, opening.has_protocol);
        let Ok(attach) = serde_json::from_str(opening.attach.get()) else {
            return refusal(&failed(M::THING, "it was asked nothing"));
        };
        let Some(id) = draw(carrier) else {
            return refusal(&failed(M::THING, "it draws no names"));
        };
        // Wakes first, so that the new socket is not taken for one that outlived a sleep.
        if shell.with(|_| Ok(())).is_err() {
            return lost(shell);
        }
        let (client, server) = ends(WebSocketPair::new()?)?;
        shell.state.as_raw().accept_websocket(&server)?;
        let is_probed = carrier == Carrier::Socket && js::unsent_of(&server).is_none();
        let (connection, start) = M::attach(id, carrier, grant, attach, is_probed);
        let added = shell.with(|core| {
            core.sockets.add(connection.id(), carrier, server);
            Ok(())
        });
        if added.is_err() {
            return lost(shell);
        }
        shell.feed_and_forget(Input::Open { connection, start });
        if shell.is_lost() {
            return lost(shell);
        }
        upgraded(&client, has_protocol)
    }
}

/// Sets the answer to pings, given without waking (P7.2).
fn answer_pings(state: &State) -> Result<(), JsValue> {
    let pair = WebSocketRequestResponsePair::new("ping", "pong")?;
    state.as_raw().set_websocket_auto_response(&pair)
}

/// A random name for a connection.
fn draw(carrier: Carrier) -> Option<ConnectionId> {
    let random = getrandom::u64().ok()?;
    let prefix = if carrier == Carrier::Body {
        ConnectionId::BODY_PREFIX
    } else {
        ""
    };
    Some(ConnectionId::new(format!("{prefix}{random:016x}")))
}

/// The answer of an object that failed in this operation.
fn lost<M: Class>(shell: &Shell<M>) -> Answer {
    let reason = if shell.is_newer() {
        "a newer release stored it, so nothing was done; deploy that release again"
    } else {
        "it failed; what was asked may have happened"
    };
    refusal(&failed(M::THING, reason))
}

/// The answer of an object that did nothing because it is about to be reset.
fn stale() -> Answer {
    let error = ErrorInfo::new(ErrorCode::Internal, "unable to answer; the object is reset");
    let response: Response = refusal(&error)?;
    response.headers().set(STALE_HEADER, "1")?;
    Ok(response)
}
