//! WebSockets: accepted so that they outlive the object's sleep, and found again after it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use worker::js_sys::JsString;
use worker::wasm_bindgen::JsValue;
use worker::web_sys::WebSocket;
use worker::worker_sys::ext::WebSocketExt;
use worker::{State, console_error};

use crate::cloudflare::platform::js;
use crate::machine::{Attached, Carrier};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::{DRAIN_MS, DRAIN_MS_LEAST};

/// The code for a socket that nobody knows: its client comes again.
const UNKNOWN: u16 = 1011;
/// How often it is looked how much is unsent while so much is sent as may be.
const LOOKS: u64 = 8;

/// The sockets of an object, by connection.
#[derive(Default)]
pub(super) struct Sockets {
    by_id: BTreeMap<ConnectionId, Held>,
    /// By the number that each socket carries: finding who speaks must cost next to nothing.
    by_slot: BTreeMap<u32, (ConnectionId, Carrier)>,
    last_slot: u32,
    /// Bytes sent to all of them since it was last looked what they have not taken.
    sent: Cell<u64>,
    /// Readers that may be too slow, which shows only when they had time to take something.
    behind: RefCell<BTreeSet<ConnectionId>>,
}

struct Held {
    socket: WebSocket,
    slot: u32,
    /// Bytes sent in all, and until it was last looked how many are unsent.
    sent: Cell<u64>,
    looked: Cell<u64>,
    /// Since when it has had more to take than it may leave.
    behind: Cell<Option<Behind>>,
}

/// A reader that had more to take than it may leave unsent.
#[derive(Clone, Copy)]
struct Behind {
    since: Timestamp,
    /// Bytes that had been sent by then: once all of them are taken, it keeps up.
    sent: u64,
}

impl Held {
    /// Bytes that it has not taken, where the platform tells.
    fn unsent(&self) -> Option<u64> {
        js::unsent_of(&self.socket).map(u64::from)
    }
}

/// What a reader has not taken yet.
pub(super) struct Unsent {
    pub(super) connection: ConnectionId,
    pub(super) bytes: u64,
}

impl Sockets {
    /// Finds the sockets that outlived a sleep, and what was kept with them. One that ended
    /// meanwhile is among them until the machine was told: its member leaves with it (P7.2).
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
        // Without its number it is found by what is kept with it.
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

    /// Whose socket this is; `None` for one that was closed.
    pub(super) fn identify(&self, socket: &WebSocket) -> Option<(ConnectionId, Carrier)> {
        if let Some(slot) = js::slot_of(socket) {
            return self.by_slot.get(&slot).cloned();
        }
        let Named { id, carrier } = attached(socket)?;
        self.by_id.contains_key(&id).then_some((id, carrier))
    }

    /// Sends one text to many, and notes which of them have more than `limit` bytes to take.
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
            // To look is a call, so it is not done for every text.
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

    /// Whether it is to be looked again who is too slow.
    pub(super) fn has_behind(&self) -> bool {
        !self.behind.borrow().is_empty()
    }

    /// Readers that had time to take what was under way when that became more than `limit`, and
    /// have not.
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
                // All of that was taken: what there is now came later.
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

    /// Bytes that each reader has not taken, each time that so many were sent: to look is a call
    /// for each.
    pub(super) fn backlog(&self, step: u64) -> Option<Vec<(ConnectionId, u64)>> {
        (step <= self.sent.get()).then(|| self.all_unsent())
    }

    /// Bytes that each reader has not taken, if there are any.
    pub(super) fn all_unsent(&self) -> Vec<(ConnectionId, u64)> {
        self.sent.set(0);
        let held = self.by_id.iter();
        let unsent = held.filter_map(|(id, held)| Some((id.clone(), held.unsent()?)));
        unsent.filter(|(_, bytes)| 0 < *bytes).collect()
    }

    /// Bytes that a reader has not taken yet, where the platform tells.
    pub(super) fn unsent(&self, id: &ConnectionId) -> Option<u64> {
        self.by_id.get(id)?.unsent()
    }

    /// When each connection last sent a text `ping`, for those that ever did.
    pub(super) fn pings(&self, state: &State) -> Vec<(ConnectionId, Timestamp)> {
        let ids = self.by_id.keys();
        let pinged = ids.filter_map(|id| Some((id.clone(), self.pinged(state, id)?)));
        pinged.collect()
    }

    /// The same of one.
    pub(super) fn pinged(&self, state: &State, id: &ConnectionId) -> Option<Timestamp> {
        let ctx: &JsValue = state.as_raw().as_ref();
        let held = self.by_id.get(id)?;
        let at = js::pinged_at(ctx, &held.socket).ok().flatten()?;
        Some(at as Timestamp)
    }

    /// Keeps a connection with its socket, so that it outlives the object's sleep.
    pub(super) fn remember(&self, id: &ConnectionId, connection: &impl Serialize) {
        let Some(held) = self.by_id.get(id) else {
            return;
        };
        let text = serde_json::to_string(connection).unwrap_or_default();
        if let Err(error) = held.socket.serialize_attachment(text.into()) {
            console_error!("unable to keep a connection: {}", js::describe(&error));
        }
    }

    /// Closes a connection's socket, which may be closing already.
    /// Gives it back if something is queued that goes out before the close.
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
        // A socket may close for longer than the object stays awake.
        let _ = held.socket.serialize_attachment(JsValue::NULL);
        self.by_slot.remove(&held.slot);
        Some(held)
    }
}

/// Of what is kept with a socket, all that this needs.
#[derive(Deserialize)]
struct Named {
    id: ConnectionId,
    carrier: Carrier,
}

/// What is kept with a socket.
fn attached<T: DeserializeOwned>(socket: &WebSocket) -> Option<T> {
    let text = socket.deserialize_attachment().ok()?.as_string()?;
    serde_json::from_str(&text).ok()
}
