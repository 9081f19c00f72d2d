//! The body of a response that is still being produced. JavaScript has its queue, where it can be
//! counted, and ended even when this wasm instance is gone.

use std::cell::Cell;
use std::rc::Rc;
use std::task::{Poll, Waker};

use worker::wasm_bindgen::closure::Closure;
use worker::web_sys::ReadableStream;

use crate::cloudflare::platform::js;

/// The end of a body that is written to.
pub(super) struct Pipe {
    inner: js::Pipe,
    leaving: Rc<Leaving>,
}

#[derive(Default)]
struct Leaving {
    has_left: Cell<bool>,
    waker: Cell<Option<Waker>>,
}

impl Pipe {
    pub(super) fn new() -> Self {
        let leaving = Rc::new(Leaving::default());
        let left = Rc::clone(&leaving);
        let stir = Closure::<dyn FnMut(bool)>::new(move |has_left| {
            left.has_left.set(has_left);
            if let Some(waker) = left.waker.take() {
                waker.wake();
            }
        });
        // JavaScript keeps it as long as the body, which may outlive this end.
        Self {
            inner: js::Pipe::new(&stir.into_js_value()),
            leaving,
        }
    }

    /// The client's body.
    pub(super) fn body(&self) -> ReadableStream {
        self.inner.stream()
    }

    /// Adds to the body.
    pub(super) fn write(&self, text: &str) {
        self.inner.write(text);
    }

    /// Approximate unsent bytes.
    pub(super) fn unsent(&self) -> u64 {
        self.inner.unsent() as u64
    }

    /// Drops the unsent bytes.
    pub(super) fn clear(&self) {
        self.inner.clear();
    }

    /// Ends the body.
    pub(super) fn end(&self) {
        self.inner.end();
    }

    /// Whether the client has left; wakes when it does, and when it takes much of the unsent bytes.
    pub(super) fn poll_left(&self, waker: &Waker) -> Poll<()> {
        if self.leaving.has_left.get() {
            return Poll::Ready(());
        }
        self.leaving.waker.set(Some(waker.clone()));
        Poll::Pending
    }
}
