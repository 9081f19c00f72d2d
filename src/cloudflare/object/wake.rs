//! When the session next has something to do: a timer for what is near, an alarm for what is
//! far. A timer holds back sleep, so none is pending while nothing waits for it.

use std::cell::{Cell, RefCell};

use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen::closure::Closure;
use worker::{State, console_error};

use crate::cloudflare::platform::js;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::WINDOW_MS_MAX;

/// How many messages are answered at once before it is looked again whether more come together:
/// the looks cost next to nothing then, and a crowd that comes meanwhile waits some 20 ms.
const ALONE: u32 = 64;

/// The timer and the alarm of an object.
pub(super) struct Wake {
    /// Messages since the timer last rang, without those that were answered at once.
    taken: Cell<u32>,
    /// How many more messages are taken to come alone.
    alone: Cell<u32>,
    ring: Closure<dyn FnMut() -> bool>,
    timer: RefCell<Option<Timer>>,
    /// For when the alarm is set, if that is known: an object that just woke does not.
    alarm: Cell<Option<Timestamp>>,
}

struct Timer {
    due: Timestamp,
    handle: JsValue,
}

impl Wake {
    /// `ring` is called when the timer rings; it says whether all went well.
    pub(super) fn new(ring: impl FnMut() -> bool + 'static) -> Self {
        let (timer, alarm) = (RefCell::new(None), Cell::new(None));
        let (taken, alone) = (Cell::new(0), Cell::new(0));
        Self {
            taken,
            alone,
            ring: Closure::new(ring),
            timer,
            alarm,
        }
    }

    /// A message came in. Whether what is due at once is then done at once: a timer of 0 ms
    /// gathers what comes in one turn of the event loop into one commit, which is worth ten times
    /// its cost when there is something to gather, and a quarter of an append's when there is
    /// not. So it is left out as long as the last one gathered nothing. What waits behind a
    /// message that was answered at once does not show: the platform hands it over only after
    /// the commit.
    pub(super) fn took_message(&self) -> bool {
        let alone = self.alone.get();
        if alone == 0 || self.timer.borrow().is_some() {
            self.taken.set(self.taken.get().saturating_add(1));
            return false;
        }
        self.alone.set(alone - 1);
        true
    }

    /// Sets the timer for a rollup window, earlier than it was if need be.
    ///
    /// # Errors
    /// When the runtime refuses: what waits would wait for ever.
    pub(super) fn set_timer(
        &self,
        state: &State,
        now: Timestamp,
        window: Option<Timestamp>,
    ) -> Result<(), JsValue> {
        let mut timer = self.timer.borrow_mut();
        if let (Some(set), Some(due)) = (timer.as_ref(), window)
            && set.due <= due
        {
            // One that rings early finds nothing to do, and is set anew.
            return Ok(());
        }
        if let Some(set) = timer.take() {
            let _ = js::stop_timer(&set.handle);
        }
        if let Some(due) = window {
            // A window is no longer than this, so what is due later is due by a clock that jumped.
            let wait = (due - now).clamp(0, WINDOW_MS_MAX as i64) as f64;
            let ctx: &JsValue = state.as_raw().as_ref();
            let handle = js::start_timer(ctx, self.ring.as_ref(), wait)?;
            *timer = Some(Timer { due, handle });
        }
        Ok(())
    }

    /// The timer has rung.
    pub(super) fn timer_rang(&self) {
        self.timer.take();
        let is_alone = self.taken.replace(0) <= 1;
        self.alone.set(if is_alone { ALONE } else { 0 });
    }

    /// Sets the alarm, but only if that makes it earlier: moving it costs a round trip before
    /// the commit, and one that rings early is set anew.
    pub(super) fn set_alarm(&self, state: &State, now: Timestamp, deadline: Option<Timestamp>) {
        let Some(due) = deadline.map(|due| due.max(now)) else {
            return;
        };
        if self.alarm.get().is_some_and(|set| set <= due) {
            return;
        }
        let set = match state.as_raw().storage() {
            Ok(storage) => js::set_alarm(storage.as_ref(), due as f64),
            Err(error) => Err(error),
        };
        match set {
            Ok(()) => self.alarm.set(Some(due)),
            Err(error) => console_error!("unable to set the alarm: {}", js::describe(&error)),
        }
    }

    /// The alarm has rung, or was deleted.
    pub(super) fn forget_alarm(&self) {
        self.alarm.set(None);
    }
}
