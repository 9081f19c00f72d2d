//! The body of a request as it arrives, gathered by JavaScript: the first chunk after a pause is
//! passed on at once, the chunks of the next millisecond as one.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use worker::js_sys::Uint8Array;
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::ReadableStream;

use super::js;

/// The body broke off.
#[derive(Debug)]
pub(crate) struct Broken;

/// A body that is being read.
pub(crate) struct Chunks {
    /// `None` without a body, or without one that can be read.
    inner: Option<js::Chunks>,
    next: Option<JsFuture>,
}

impl Chunks {
    /// Begins to read.
    pub(crate) fn new(body: Option<ReadableStream>) -> Self {
        let inner = body.and_then(|body| js::Chunks::new(&body).ok());
        Self { inner, next: None }
    }

    /// The bytes that have arrived.
    pub(crate) fn take(&self) -> Vec<u8> {
        let taken = self.inner.as_ref().and_then(js::Chunks::take);
        taken.map(|chunk| chunk.to_vec()).unwrap_or_default()
    }

    /// The next bytes; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        poll_fn(|context| self.poll(context)).await
    }

    /// Polls for the next bytes, for callers that wait for other things too.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Vec<u8>>, Broken>> {
        let Some(inner) = &self.inner else {
            return Poll::Ready(Ok(None));
        };
        let next = self.next.get_or_insert_with(|| inner.next().into());
        let polled = Pin::new(next).poll(context);
        if polled.is_ready() {
            self.next = None;
        }
        let bytes = |chunk: JsValue| chunk.dyn_into().map(|chunk: Uint8Array| chunk.to_vec());
        polled.map(|chunk| chunk.map(|chunk| bytes(chunk).ok()).map_err(|_| Broken))
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        if let Some(inner) = &self.inner {
            inner.stop();
        }
    }
}
