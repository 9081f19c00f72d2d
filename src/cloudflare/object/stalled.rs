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

use crate::cloudflare::platform::js;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::DRAIN_MS_LEAST;

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
    /// Whether one was closed since it was last looked.
    has_new: Cell<bool>,
    /// When it rings, and itself.
    timer: RefCell<Option<(Timestamp, JsValue)>>,
    heard_at: Cell<Timestamp>,
}

impl Stalled {
    /// `look` is called every now and then while there is such a socket.
    pub(super) fn new(look: impl FnMut() -> bool + 'static) -> Self {
        Self {
            look: Closure::new(look),
            sockets: RefCell::default(),
            has_new: Cell::new(false),
            timer: RefCell::default(),
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
        self.has_new.set(true);
    }

    /// Sees to it that somebody looks again while there is such a socket, or sooner while there
    /// is one of which it is not known yet whether it takes anything.
    ///
    /// # Errors
    /// When the runtime refuses a timer.
    pub(super) fn watch(
        &self,
        state: &State,
        now: Timestamp,
        is_behind: bool,
    ) -> Result<(), JsValue> {
        let quiet_in = self
            .heard_at
            .get()
            .saturating_add(QUIET_MS)
            .saturating_sub(now);
        let wait = match (is_behind, self.sockets.borrow().is_empty()) {
            (true, _) => DRAIN_MS_LEAST,
            // Most close at once, and nothing is to be watched any more.
            (false, false) if self.has_new.get() => LOOK_MS,
            (false, false) => quiet_in.clamp(LOOK_MS, QUIET_MS),
            (false, true) => return Ok(()),
        };
        let mut timer = self.timer.borrow_mut();
        if timer.as_ref().is_some_and(|(due, _)| *due <= now + wait) {
            return Ok(());
        }
        if let Some((_, handle)) = timer.take() {
            let _ = js::stop_timer(&handle);
        }
        let ctx: &JsValue = state.as_raw().as_ref();
        let handle = js::start_timer(ctx, self.look.as_ref(), wait as f64)?;
        *timer = Some((now + wait, handle));
        Ok(())
    }

    /// The timer rang.
    pub(super) fn rang(&self) {
        self.timer.take();
        self.has_new.set(false);
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
