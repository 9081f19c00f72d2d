//! Readers that were closed as too slow and still take nothing (P13.7).
//!
//! A close queues behind the reader's unsent bytes, and the runtime cannot drop a socket. So a
//! reader that never reads would keep the object awake, and its queue in memory, for as long as its
//! network connection lasts. Once the session has gone quiet the only remedy is a reset of the
//! object, after which all other clients resume.

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
/// The shortest wait before the next check.
const LOOK_MS: i64 = 500;
/// The bound on all queues together, as a multiple of one reader's.
const QUEUES_MAX: u64 = 4;

/// The abandoned sockets, and the timer that checks them. The timer costs nothing: with such a
/// socket the object cannot sleep anyway.
pub(super) struct Stalled {
    look: Closure<dyn FnMut() -> bool>,
    sockets: RefCell<Vec<WebSocket>>,
    /// Whether one was closed since the last check.
    has_new: Cell<bool>,
    /// The timer, and the time when it rings.
    timer: RefCell<Option<(Timestamp, JsValue)>>,
    heard_at: Cell<Timestamp>,
}

impl Stalled {
    /// `look` is called now and then while there is such a socket.
    pub(super) fn new(look: impl FnMut() -> bool + 'static) -> Self {
        Self {
            look: Closure::new(look),
            sockets: RefCell::default(),
            has_new: Cell::new(false),
            timer: RefCell::default(),
            heard_at: Cell::new(0),
        }
    }

    /// Notes a client's input.
    pub(super) fn heard(&self, now: Timestamp) {
        self.heard_at.set(now);
    }

    /// Notes a closed socket with its queue behind it.
    pub(super) fn add(&self, socket: WebSocket) {
        self.sockets.borrow_mut().push(socket);
        self.has_new.set(true);
    }

    /// Schedules a check while there is such a socket, or a sooner one while it is unknown whether
    /// a socket takes anything.
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
            // Most close at once, and then nothing is left to watch.
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

    /// Whether the object must be reset: nothing else would keep it awake, or the queues together
    /// are too large.
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
