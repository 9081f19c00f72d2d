//! Unsent bytes of all readers together (P14), checked again once readers had time for them.

use std::cell::Cell;

use worker::State;
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen::closure::Closure;

use crate::cloudflare::platform::js;
use crate::protocol::limits::Limits;

/// How long readers have to take something before they are judged.
const DRAIN_MS: f64 = 500.0;
/// How often this is checked while as much is sent as one client may leave unsent.
const LOOKS: u64 = 8;

/// The timer of that check. It runs only while much is unsent, which keeps an object awake anyway.
pub(super) struct Backlog {
    look: Closure<dyn FnMut() -> bool>,
    has_timer: Cell<bool>,
}

impl Backlog {
    /// `look` is called when readers had time.
    pub(super) fn new(look: impl FnMut() -> bool + 'static) -> Self {
        Self {
            look: Closure::new(look),
            has_timer: Cell::new(false),
        }
    }

    /// Bytes sent before the unsent bytes of all readers are checked.
    pub(super) fn step(limits: &Limits) -> u64 {
        limits.client_unsent_bytes.min(limits.readers_unsent_bytes) / LOOKS
    }

    /// The timer rang.
    pub(super) fn rang(&self) {
        self.has_timer.set(false);
    }

    /// Checks again later if more is unsent than one client may leave.
    ///
    /// # Errors
    /// When the runtime refuses a timer.
    pub(super) fn watch(&self, state: &State, bytes: u64, limits: &Limits) -> Result<(), JsValue> {
        let much = limits.client_unsent_bytes.min(limits.readers_unsent_bytes);
        if bytes <= much || self.has_timer.replace(true) {
            return Ok(());
        }
        js::start_timer(state.as_raw().as_ref(), self.look.as_ref(), DRAIN_MS).map(drop)
    }
}
