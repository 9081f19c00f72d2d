//! Cleaning up after a panic.
//!
//! All objects of an isolate share one wasm instance. A panic ends it: the next event gets a fresh
//! one, with new memory for every object, while earlier sockets and timers live on. So nothing may
//! continue as if nothing had happened:
//!
//! - the object that panicked is reset, so that callers waiting for it get an error at once;
//! - requests and streams of the old instance are ended by JavaScript;
//! - an object made anew on a used `ctx` resets itself: its clients reconnect and resume
//!   (`session_object`);
//! - a timer that the old instance had started resets its object when it rings (`wake`).

use std::cell::{Cell, RefCell};
use std::panic::{set_hook, take_hook};
use std::sync::Once;

use worker::wasm_bindgen::JsValue;

use super::js;
use super::memory;
use crate::ordered::Map;

thread_local! {
    static OBJECTS: RefCell<Map<u32, JsValue>> = const { RefCell::new(Map::new()) };
    static LAST: Cell<u32> = const { Cell::new(0) };
    static CURRENT: Cell<u32> = const { Cell::new(0) };
}

/// Sets the hook, once in the life of a wasm instance.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        memory::reserve();
        // The hook of `worker` makes its own JavaScript restart.
        let recover = take_hook();
        set_hook(Box::new(move |panic| {
            recover(panic);
            console_error_panic_hook::hook(panic);
            let _ = js::panicked(&current(), "the session panicked");
        }));
    });
}

/// An object, so that a panic can reset it.
pub(crate) struct Registered(u32);

impl Registered {
    pub(crate) fn new(ctx: JsValue) -> Self {
        let number = LAST.get().wrapping_add(1);
        LAST.set(number);
        OBJECTS.with_borrow_mut(|objects| objects.insert(number, ctx));
        Self(number)
    }

    /// Runs a function that must not await on behalf of this object.
    pub(crate) fn run<T>(&self, body: impl FnOnce() -> T) -> T {
        let before = CURRENT.replace(self.0);
        let result = body();
        CURRENT.set(before);
        result
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        OBJECTS.with_borrow_mut(|objects| objects.remove(&self.0));
    }
}

/// The `ctx` of the object that runs; `undefined` in the Worker itself.
fn current() -> JsValue {
    OBJECTS.with(|objects| {
        let objects = objects.try_borrow().ok();
        let ctx = objects.and_then(|objects| objects.get(&CURRENT.get()).cloned());
        ctx.unwrap_or(JsValue::UNDEFINED)
    })
}
