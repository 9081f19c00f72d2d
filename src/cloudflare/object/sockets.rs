//! WebSockets: accepted so that they outlive the object's sleep, and found again after it.

use std::cell::{Cell, RefCell};

use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::js_sys::JsString;
use worker::wasm_bindgen::JsValue;
use worker::web_sys::WebSocket;
use worker::worker_sys::ext::WebSocketExt;
use worker::{State, console_error};

use crate::cloudflare::platform::js;
use crate::machine::{Attached, Carrier};
use crate::ordered::{Map, Set};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::{DRAIN_MS, DRAIN_MS_LEAST};
use crate::protocol::object::read_fields;

/// The close code of an unknown socket: its client reconnects.
const UNKNOWN: u16 = 1011;
/// How often unsent bytes are checked while a whole allowance is sent.
const LOOKS: u64 = 8;

/// The sockets of an object, by connection.
#[derive(Default)]
pub(super) struct Sockets {
    by_id: Map<ConnectionId, Held>,
    /// By each socket's number: finding a message's sender must cost next to nothing.
    by_slot: Map<u32, (ConnectionId, Carrier)>,
    last_slot: u32,
    /// Bytes sent to all of them since unsent bytes were last checked.
    sent: Cell<u64>,
    /// Readers that may be too slow, which shows only after they had time to take something.
    behind: RefCell<Set<ConnectionId>>,
}

struct Held {
    socket: WebSocket,
    slot: u32,
    /// Bytes sent in all, and at the last check of unsent bytes.
    sent: Cell<u64>,
    looked: Cell<u64>,
    /// Since when its unsent bytes exceed the bound.
    behind: Cell<Option<Behind>>,
}

/// A reader with more unsent bytes than allowed.
#[derive(Clone, Copy)]
struct Behind {
    since: Timestamp,
    /// Bytes sent by that time: once all of them are taken, it keeps up.
    sent: u64,
}

impl Held {
    /// Its unsent bytes, where the platform reports them.
    fn unsent(&self) -> Option<u64> {
        js::unsent_of(&self.socket).map(u64::from)
    }
}

/// Unsent bytes of a reader.
pub(super) struct Unsent {
    pub(super) connection: ConnectionId,
    pub(super) bytes: u64,
}

impl Sockets {
    /// Finds the sockets that outlived a sleep, and the state kept with them. A socket that ended
    /// meanwhile is included until the machine knows: its member leaves with it (P7.2).
    ///
    /// # Errors
    /// When the runtime refuses.
    pub(super) fn wake<C: Attached>(state: &State) -> Result<(Self, Vec<C>), JsValue> {
        let (mut sockets, mut connections) = (Self::default(), Vec::new());
        for socket in state.as_raw().get_websockets()? {
            let Some(connection) = attached::<C>(&socket) else {
                if socket.ready_state() == WebSocket::OPEN {
                    let _ = socket.close_with_code(UNKNOWN);
                }
                continue;
            };
            sockets.add(connection.id(), connection.carrier(), socket);
            connections.push(connection);
        }
        Ok((sockets, connections))
    }

    /// Keeps the socket of a connection.
    pub(super) fn add(&mut self, id: &ConnectionId, carrier: Carrier, socket: WebSocket) {
        self.last_slot = self.last_slot.wrapping_add(1) & 0x3fff_ffff;
        let slot = self.last_slot;
        // Without its number a socket is found by its kept state.
        let _ = js::set_slot(&socket, slot);
        self.by_slot.insert(slot, (id.clone(), carrier));
        let held = Held {
            socket,
            slot,
            sent: Cell::new(0),
            looked: Cell::new(0),
            behind: Cell::new(None),
        };
        self.by_id.insert(id.clone(), held);
    }

    /// The connection of this socket; `None` for a closed one.
    pub(super) fn identify(&self, socket: &WebSocket) -> Option<(ConnectionId, Carrier)> {
        if let Some(slot) = js::slot_of(socket) {
            return self.by_slot.get(&slot).cloned();
        }
        let Named { id, carrier } = attached(socket)?;
        self.by_id.contains_key(&id).then_some((id, carrier))
    }

    /// Sends one text to many, and notes which of them have more than `limit` bytes unsent.
    pub(super) fn send(&self, now: Timestamp, to: &[ConnectionId], text: &str, limit: u64) {
        let shared = (1 < to.len()).then(|| JsString::from(text));
        for id in to {
            let Some(held) = self.by_id.get(id) else {
                continue;
            };
            // Fails when it is closing.
            let _ = match &shared {
                Some(shared) => js::send_shared(&held.socket, shared),
                None => js::send(&held.socket, text),
            };
            let bytes = u64::try_from(text.len()).unwrap_or(0);
            self.sent.set(self.sent.get().saturating_add(bytes));
            let sent = held.sent.get() + bytes;
            held.sent.set(sent);
            // The check is a call into JavaScript, so it is not made for every text.
            if sent - held.looked.get() <= limit / LOOKS {
                continue;
            }
            held.looked.set(sent);
            if held.behind.get().is_none() && held.unsent().is_some_and(|bytes| limit < bytes) {
                held.behind.set(Some(Behind { since: now, sent }));
                self.behind.borrow_mut().insert(id.clone());
            }
        }
    }

    /// Whether slow readers must be checked again.
    pub(super) fn has_behind(&self) -> bool {
        !self.behind.borrow().is_empty()
    }

    /// Readers that had time to take the bytes in flight when these exceeded `limit`, and have not.
    pub(super) fn too_slow(&self, now: Timestamp, limit: u64) -> Vec<Unsent> {
        let mut slow = Vec::new();
        self.behind.borrow_mut().retain(|id| {
            let Some(held) = self.by_id.get(id) else {
                return false;
            };
            let bytes = held.unsent().filter(|bytes| limit < *bytes);
            let (Some(behind), Some(bytes)) = (held.behind.get(), bytes) else {
                held.behind.set(None);
                return false;
            };
            let sent = held.sent.get();
            if bytes <= sent - behind.sent {
                // All of that was taken: the rest was sent later.
                held.behind.set(Some(Behind { since: now, sent }));
                return true;
            }
            let given = if limit.saturating_mul(2) < bytes {
                DRAIN_MS_LEAST
            } else {
                DRAIN_MS
            };
            if now - behind.since < given {
                return true;
            }
            held.behind.set(None);
            let connection = id.clone();
            slow.push(Unsent { connection, bytes });
            false
        });
        slow
    }

    /// Unsent bytes of each reader, once for every so many bytes sent: the check is a call for
    /// each.
    pub(super) fn backlog(&self, step: u64) -> Option<Vec<(ConnectionId, u64)>> {
        (step <= self.sent.get()).then(|| self.all_unsent())
    }

    /// Unsent bytes of each reader that has any.
    pub(super) fn all_unsent(&self) -> Vec<(ConnectionId, u64)> {
        self.sent.set(0);
        let held = self.by_id.iter();
        let unsent = held.filter_map(|(id, held)| Some((id.clone(), held.unsent()?)));
        unsent.filter(|(_, bytes)| 0 < *bytes).collect()
    }

    /// Unsent bytes of a reader, where the platform reports them.
    pub(super) fn unsent(&self, id: &ConnectionId) -> Option<u64> {
        self.by_id.get(id)?.unsent()
    }

    /// When each connection last sent a text `ping`, for those that ever did.
    pub(super) fn pings(&self, state: &State) -> Vec<(ConnectionId, Timestamp)> {
        let ids = self.by_id.keys();
        let pinged = ids.filter_map(|id| Some((id.clone(), self.pinged(state, id)?)));
        pinged.collect()
    }

    /// When a connection last sent a text `ping`.
    pub(super) fn pinged(&self, state: &State, id: &ConnectionId) -> Option<Timestamp> {
        let ctx: &JsValue = state.as_raw().as_ref();
        let held = self.by_id.get(id)?;
        let at = js::pinged_at(ctx, &held.socket).ok().flatten()?;
        Some(at as Timestamp)
    }

    /// Keeps a connection's state with its socket, so that it outlives the object's sleep.
    pub(super) fn remember(&self, id: &ConnectionId, connection: &impl Serialize) {
        let Some(held) = self.by_id.get(id) else {
            return;
        };
        let text = serde_json::to_string(connection).unwrap_or_default();
        if let Err(error) = held.socket.serialize_attachment(text.into()) {
            console_error!("unable to keep a connection: {}", js::describe(&error));
        }
    }

    /// Closes a connection's socket, which may be closing already. Returns it if queued messages go
    /// out before the close.
    pub(super) fn close(
        &mut self,
        id: &ConnectionId,
        code: u16,
        reason: &str,
    ) -> Option<WebSocket> {
        let socket = self.remove(id)?.socket;
        let _ = socket.close_with_code_and_reason(code, reason);
        (Some(0) < js::unsent_of(&socket)).then_some(socket)
    }

    /// Forgets a connection's socket.
    pub(super) fn forget(&mut self, id: &ConnectionId) {
        self.remove(id);
    }

    fn remove(&mut self, id: &ConnectionId) -> Option<Held> {
        let held = self.by_id.remove(id)?;
        // A socket may take longer to close than the object stays awake.
        let _ = held.socket.serialize_attachment(JsValue::NULL);
        self.by_slot.remove(&held.slot);
        Some(held)
    }
}

/// The part of a socket's kept state that is needed here.
struct Named {
    id: ConnectionId,
    carrier: Carrier,
}

read_fields!(Named { id, carrier });

/// The state kept with a socket.
fn attached<T: DeserializeOwned>(socket: &WebSocket) -> Option<T> {
    let text = socket.deserialize_attachment().ok()?.as_string()?;
    serde_json::from_str(&text).ok()
}
