//! Messages of connections: parsed, and passed to the machine.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen_futures::spawn_local;
use worker::web_sys::WebSocket;

use super::class::Class;
use super::fault::provoke;
use super::loaded::Core;
use super::shell::Shell;
use crate::cloudflare::platform::config::config;
use crate::cloudflare::platform::js;
use crate::cloudflare::platform::log::note;
use crate::cloudflare::revoked;
use crate::machine::{Carrier, Input};
use crate::ordered::Map;
use crate::protocol::decode::{Auth, ClientFrame, Received, decode, decode_frame, too_large};
use crate::protocol::error::{ErrorCode, ErrorInfo, close};
use crate::protocol::ids::ConnectionId;
use crate::protocol::limits::Limits;

/// Texts longer than this many times a frame are not even copied.
const COPIED_FRAMES: u64 = 4;
/// Messages that may wait while a token is checked, perhaps with keys still to be fetched.
const WAITING_MAX: usize = 256;
/// Bytes of such messages.
const WAITING_BYTES_MAX: usize = 1024 * 1024;

/// Incoming messages, and those that wait.
pub(super) struct Incoming<M: Class> {
    shell: Rc<Shell<M>>,
    /// Messages behind an `auth` frame whose token is being checked.
    waiting: RefCell<Map<ConnectionId, VecDeque<Came>>>,
}

impl<M: Class> Incoming<M> {
    pub(super) fn new(shell: &Rc<Shell<M>>) -> Rc<Self> {
        Rc::new(Self {
            shell: Rc::clone(shell),
            waiting: RefCell::default(),
        })
    }

    /// A message of a connection.
    pub(super) fn message(self: &Rc<Self>, socket: &WebSocket, message: &JsValue) {
        let came = self.shell.with(|core| Ok(came(core, socket, message)));
        if let Ok(Some((connection, came))) = came {
            self.pass_on(connection, came);
        }
    }

    /// Passes a message on, or queues it behind a token.
    fn pass_on(self: &Rc<Self>, connection: ConnectionId, came: Came) {
        let Some(came) = self.queue(&connection, came) else {
            return;
        };
        match came {
            Came::Frames(frames, bytes) => self.take(connection, frames, bytes),
            Came::Part(frames, bytes) => self.feed(connection, frames, bytes),
            Came::End => self.shell.feed_and_forget(Input::BodyEnd { connection }),
            Came::Unreadable(error) => self
                .shell
                .feed_and_forget(Input::Unreadable { connection, error }),
            Came::Unread(error, code) => self.refuse(connection, error, code),
        }
    }

    /// A connection has ended, with or without a goodbye.
    pub(super) fn closed(self: &Rc<Self>, socket: &WebSocket) {
        // The close is answered: until then the peer's TCP connection stays open.
        let _ = socket.close();
        let known = self.shell.with(|core| {
            let Some((connection, _)) = core.sockets.identify(socket) else {
                return Ok(None);
            };
            let pinged = core.sockets.pinged(&self.shell.state, &connection);
            core.sockets.forget(&connection);
            Ok(Some((connection, pinged)))
        });
        let Ok(Some((connection, pinged))) = known else {
            return;
        };
        self.waiting.borrow_mut().remove(&connection);
        // A `ping` is a sign of life even as the last message (P6.8).
        if let Some(at) = pinged {
            let heard = vec![(connection.clone(), at)];
            self.shell.feed_and_forget(Input::Heard { heard });
        }
        self.shell.feed_and_forget(Input::Close { connection });
    }

    /// Answers an unreadable message, and ends the connection (P13.6).
    fn refuse(self: &Rc<Self>, connection: ConnectionId, error: ErrorInfo, code: u16) {
        // Its last answers may wait behind a pending append (P13.3).
        self.shell.feed_and_forget(Input::BodyEnd {
            connection: connection.clone(),
        });
        let unreadable = Input::Unreadable {
            connection: connection.clone(),
            error,
        };
        self.shell.feed_and_forget(unreadable);
        let closed = self.shell.with(|core| {
            core.sockets
                .close(&connection, code, "the message cannot be read");
            Ok(())
        });
        if closed.is_ok() {
            self.shell.feed_and_forget(Input::Close { connection });
        }
    }

    fn feed(self: &Rc<Self>, connection: ConnectionId, frames: Vec<Received>, bytes: usize) {
        provoke(&frames);
        self.shell.feed_and_forget(Input::Message {
            connection,
            frames,
            bytes,
            is_alone: self.shell.is_alone(),
        });
    }

    /// Queues a message behind a token under check; returns it if there is none.
    fn queue(self: &Rc<Self>, connection: &ConnectionId, came: Came) -> Option<Came> {
        let mut queues = self.waiting.borrow_mut();
        let Some(queue) = queues.get_mut(connection) else {
            return Some(came);
        };
        if matches!(came, Came::Unread(..)) {
            // The message ends the connection.
            return Some(came);
        }
        let bytes: usize = queue.iter().map(Came::bytes).sum();
        if queue.len() < WAITING_MAX && bytes + came.bytes() <= WAITING_BYTES_MAX {
            queue.push_back(came);
            return None;
        }
        let error = "unable to read the message; too many wait while a token is checked";
        let error = ErrorInfo::new(ErrorCode::RateLimited, error);
        Some(Came::Unreadable(error))
    }

    /// Passes frames on, up to one with a fresh token: the frames behind it wait until the token is
    /// checked, so that it takes effect in its place (P2.6).
    fn take(self: &Rc<Self>, connection: ConnectionId, mut frames: Vec<Received>, bytes: usize) {
        let Some(at) = frames.iter().position(is_auth) else {
            return self.feed(connection, frames, bytes);
        };
        let rest = frames.split_off(at + 1);
        let auth = frames.pop();
        // The message's bytes count once, though it is passed on in parts.
        let mut uncounted = bytes;
        if !frames.is_empty() {
            self.feed(connection.clone(), frames, std::mem::take(&mut uncounted));
        }
        let Some(Received {
            reference,
            chain,
            frame: Ok(ClientFrame::Auth(auth)),
        }) = auth
        else {
            return;
        };
        let rest = (!rest.is_empty()).then_some(Came::Frames(rest, uncounted));
        self.waiting
            .borrow_mut()
            .insert(connection.clone(), rest.into_iter().collect());
        let incoming = Rc::clone(self);
        spawn_local(async move {
            let grant = incoming.check(&auth).await;
            if let Err(error) = &grant {
                note("auth", error);
            }
            let waited = incoming.waiting.borrow_mut().remove(&connection);
            // A connection closed meanwhile waits for nothing.
            let Some(waited) = waited else { return };
            incoming.shell.feed_and_forget(Input::Renew {
                connection: connection.clone(),
                reference,
                chain,
                grant,
            });
            for came in waited {
                incoming.pass_on(connection.clone(), came);
            }
        });
    }

    async fn check(&self, auth: &Auth) -> Result<M::Grant, ErrorInfo> {
        let config = config(&self.shell.env)?;
        let claims = config.keys.verify(&auth.token, &config.limits).await?;
        let name = self.shell.name().unwrap_or_default();
        revoked::check(&self.shell.env, &config, &claims, Some(&name)).await?;
        M::grant(&claims, &name)
    }
}

/// The content of one message.
enum Came {
    /// The frames of a WebSocket message of a client, and its size in bytes.
    Frames(Vec<Received>, usize),
    /// The frames of a part of an HTTP body, and its size in bytes.
    Part(Vec<Received>, usize),
    /// The end of such a body.
    End,
    /// A text that holds no frames.
    Unreadable(ErrorInfo),
    /// A message that is not parsed, and the close code of its connection.
    Unread(ErrorInfo, u16),
}

impl Came {
    fn bytes(&self) -> usize {
        match self {
            Self::Frames(_, bytes) | Self::Part(_, bytes) => *bytes,
            Self::End | Self::Unreadable(_) | Self::Unread(..) => 0,
        }
    }
}

/// A message and its connection; nothing for a closed one.
fn came<M: Class>(
    core: &Core<M>,
    socket: &WebSocket,
    message: &JsValue,
) -> Option<(ConnectionId, Came)> {
    let (connection, carrier) = core.sockets.identify(socket)?;
    let text = match read(message, &core.limits) {
        Ok(text) => text,
        Err((error, code)) => return Some((connection, Came::Unread(error, code))),
    };
    let came = match carrier {
        Carrier::Lines | Carrier::Body if text.is_empty() => Came::End,
        Carrier::Lines => Came::Part(lines(&text, &core.limits), text.len()),
        _ => match decode(&text, &core.limits) {
            Err(error) => Came::Unreadable(error),
            Ok(frames) if carrier == Carrier::Socket => Came::Frames(frames, text.len()),
            Ok(frames) => Came::Part(frames, text.len()),
        },
    };
    Some((connection, came))
}

/// The text of a message, unless it is binary or longer than anything that is refused by name.
fn read(message: &JsValue, limits: &Limits) -> Result<String, (ErrorInfo, u16)> {
    let Some(length) = js::length_of(message) else {
        let error = "unable to read the message; it is binary, frames are text";
        let error = ErrorInfo::new(ErrorCode::InvalidFrame, error);
        return Err((error, close::PROTOCOL_ERROR));
    };
    let longest = limits.frame_bytes();
    if limits.frame_bytes.saturating_mul(COPIED_FRAMES) < u64::from(length) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        return Err((
            too_large("read the message", length, longest),
            close::TOO_LARGE,
        ));
    }
    Ok(js::copy(message, length).unwrap_or_default())
}

/// The frames of lines, one each: an invalid line harms no other (P12.1).
fn lines(text: &str, limits: &Limits) -> Vec<Received> {
    let longest = limits.frame_bytes();
    let line = |line: &str| {
        if longest < line.len() {
            return Received::refused(too_large("read the frame", line.len(), longest));
        }
        decode_frame(line, limits)
    };
    text.split('\n').map(line).collect()
}

fn is_auth(received: &Received) -> bool {
    matches!(received.frame, Ok(ClientFrame::Auth(_)))
}
