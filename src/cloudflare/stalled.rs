//! Readers that were closed as too slow and still take nothing (P13.7).
//!
//! A close queues behind what the reader has not taken, and the runtime has no way to give a
//! socket up. So one that never reads would keep the object awake, and its queue in memory,
//! for as long as its network connection lasts. Once the session has gone quiet there is only
//! one way out: the object resets itself, and whoever else is attached resumes.

use std::cell::{Cell, RefCell};

use worker::State;
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen::closure::Closure;
use worker::web_sys::WebSocket;

use super::js;
use crate::protocol::ids::Timestamp;

/// How long a session must have been quiet: as long as the runtime waits before it sleeps.
const QUIET_MS: i64 = 10_000;
/// How long to wait at least before looking again.
const LOOK_MS: i64 = 500;
/// How many times over what one reader may leave unsent all of them may hold together.
const QUEUES_MAX: u64 = 4;

/// The sockets that were given up, and the timer that looks at them. It costs nothing: while
/// there is such a socket the object cannot sleep anyway.
pub(super) struct Stalled {
    look: Closure<dyn FnMut() -> bool>,
    sockets: RefCell<Vec<WebSocket>>,
    has_timer: Cell<bool>,
    heard_at: Cell<Timestamp>,
}

impl Stalled {
    /// `look` is called every now and then while there is such a socket.
    pub(super) fn new(look: impl FnMut() -> bool + 'static) -> Self {
        Self {
            look: Closure::new(look),
            sockets: RefCell::default(),
            has_timer: Cell::new(false),
            heard_at: Cell::new(0),
        }
    }

    /// Somebody asked something of the session.
    pub(super) fn heard(&self, now: Timestamp) {
        self.heard_at.set(now);
    }

    /// A socket was closed, its queue behind it.
    pub(super) fn add(&self, socket: WebSocket) {
        self.sockets.borrow_mut().push(socket);
    }

    /// Sees to it that somebody looks again while there is such a socket.
    ///
    /// # Errors
    /// When the runtime refuses a timer.
    pub(super) fn watch(&self, state: &State, now: Timestamp) -> Result<(), JsValue> {
        if self.has_timer.get() || self.sockets.borrow().is_empty() {
            return Ok(());
        }
        let ctx: &JsValue = state.as_raw().as_ref();
        let quiet_in = self
            .heard_at
            .get()
            .saturating_add(QUIET_MS)
            .saturating_sub(now);
        js::start_timer(
            ctx,
            self.look.as_ref(),
            quiet_in.clamp(LOOK_MS, QUIET_MS) as f64,
        )?;
        self.has_timer.set(true);
        Ok(())
    }

    /// The timer rang.
    pub(super) fn rang(&self) {
        self.has_timer.set(false);
    }

    /// Whether the object must be reset: nothing else would keep it awake, or the queues are
    /// more than all of it is worth.
    pub(super) fn is_lost(&self, now: Timestamp, unsent_bytes: u64) -> bool {
        let mut sockets = self.sockets.borrow_mut();
        let is_stuck = |socket: &WebSocket| {
            socket.ready_state() == WebSocket::CLOSING && Some(0) < js::unsent_of(socket)
        };
        sockets.retain(is_stuck);
        let queued = sockets
            .iter()
            .map(|socket| js::unsent_of(socket).map_or(0, u64::from));
        let is_quiet = QUIET_MS <= now - self.heard_at.get();
        let is_much = unsent_bytes.saturating_mul(QUEUES_MAX) < queued.sum();
        !sockets.is_empty() && (is_quiet || is_much)
    }
}
