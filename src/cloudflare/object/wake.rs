//! The machine's next time: a timer if it is near, an alarm if it is far. A timer prevents sleep,
//! so none is pending while nothing waits for it.

use std::cell::{Cell, RefCell};

use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen::closure::Closure;
use worker::{State, console_error};

use crate::cloudflare::platform::js;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::WINDOW_MS_MAX;

/// The messages answered at once before the next check whether more arrive together: the check then
/// costs next to nothing, and a crowd that arrives meanwhile waits some 20 ms.
const ALONE: u32 = 64;

/// The timer and the alarm of an object.
pub(super) struct Wake {
    /// Messages since the timer last rang, without those answered at once.
    taken: Cell<u32>,
    /// The number of further messages expected to arrive alone.
    alone: Cell<u32>,
    ring: Closure<dyn FnMut() -> bool>,
    timer: RefCell<Option<Timer>>,
    /// The alarm's time, if known: an object that just woke does not know it.
    alarm: Cell<Option<Timestamp>>,
}

struct Timer {
    due: Timestamp,
    handle: JsValue,
}

impl Wake {
    /// `ring` is called when the timer rings; it returns whether all went well.
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

    /// A message arrived. Returns whether due work is done at once: a timer of 0 ms gathers the
    /// messages of one turn of the event loop into one commit, which saves ten times its cost when
    /// there are several, and costs a quarter of an append when there is one. So the timer is left
    /// out as long as the last one gathered nothing. Messages behind one that was answered at once
    /// cannot be seen: the platform delivers them only after the commit.
    pub(super) fn took_message(&self) -> bool {
        let alone = self.alone.get();
        if alone == 0 || self.timer.borrow().is_some() {
            self.taken.set(self.taken.get().saturating_add(1));
            return false;
        }
        self.alone.set(alone - 1);
        true
    }

    /// Sets the timer for a rollup window, or moves it earlier.
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
            // A timer that rings early finds nothing to do, and is set anew.
            return Ok(());
        }
        if let Some(set) = timer.take() {
            let _ = js::stop_timer(&set.handle);
        }
        if let Some(due) = window {
            // No window is longer than this: a later time is due to a clock that jumped.
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

    /// Sets the alarm, but only to an earlier time: moving it costs a round trip before the commit,
    /// and an alarm that rings early is set anew. Never to the time of the one that rings: the
    /// platform would take it for that one, and delete it with that one's end.
    pub(super) fn set_alarm(&self, state: &State, now: Timestamp, deadline: Option<Timestamp>) {
        let Some(due) = deadline.map(|due| due.max(now.saturating_add(1))) else {
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
