//! The body of a request on its way to the session, and the answers on their way back: shared by
//! lines (P12.1) and streamed bodies (P5.5).

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use worker::Delay;

use super::link::{Link, Said, ended};
use super::patience::Patience;
use crate::cloudflare::call::failed;
use crate::cloudflare::platform::chunks::{Broken, Chunks};
use crate::cloudflare::platform::http::unreadable;
use crate::cloudflare::platform::time::now;
use crate::protocol::error::{ErrorInfo, close};
use crate::protocol::ids::Timestamp;

/// Frames that may wait for their answers; beyond that no more of the body is read.
const UNANSWERED_MAX: usize = 4_096;
/// The longest timer: a token may be valid for longer than a timer can run.
const LOOK_MS: i64 = 60 * 60 * 1000;
/// Bytes of a body that are read after the session has refused it.
const DISCARDED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of such frames.
const UNANSWERED_BYTES_MAX: usize = 1024 * 1024;

/// A body, and its connection.
pub(super) struct Exchange {
    link: Link,
    body: Chunks,
    has_ended: bool,
    /// Sizes of the frames that wait for their answers.
    unanswered: VecDeque<usize>,
    unanswered_bytes: usize,
    patience: Patience,
    /// When the token that admitted the body expires (P2.6).
    expires_at: Timestamp,
    expiry: Pin<Box<Delay>>,
}

/// The next event.
pub(super) enum Event {
    /// More of the body.
    Chunk(Vec<u8>),
    /// The body's end.
    End,
    /// A frame or an array of frames of the session.
    Said(String),
}

impl Exchange {
    pub(super) fn new(link: Link, body: Chunks, expires_at: Timestamp) -> Self {
        Self {
            link,
            body,
            has_ended: false,
            unanswered: VecDeque::new(),
            unanswered_bytes: 0,
            patience: Patience::new(),
            expires_at,
            expiry: next_look(expires_at),
        }
    }

    /// The bytes of the body that have arrived.
    pub(super) fn take(&self) -> Vec<u8> {
        self.body.take()
    }

    /// Whether the body has ended and everything in it is answered.
    pub(super) fn is_over(&self) -> bool {
        self.has_ended && self.is_answered()
    }

    /// Whether everything sent is answered.
    pub(super) fn is_answered(&self) -> bool {
        self.unanswered.is_empty()
    }

    /// Sends a message of the session's protocol.
    pub(super) fn send(&self, text: &str) {
        self.link.send(text);
    }

    /// Notes a frame of so many bytes to be answered.
    pub(super) fn ask(&mut self, bytes: usize) {
        self.unanswered.push_back(bytes);
        self.unanswered_bytes += bytes;
    }

    /// Notes an answer; returns whether one was awaited.
    pub(super) fn answered(&mut self) -> bool {
        let bytes = self.unanswered.pop_front();
        self.unanswered_bytes -= bytes.unwrap_or_default();
        bytes.is_some()
    }

    /// Reads the rest of the body, up to a bound, and keeps none of it: a client that is cut off
    /// while sending does not hear why.
    pub(super) async fn discard(&mut self) {
        let mut discarded = 0;
        while let Ok(Some(chunk)) = self.body.next().await {
            discarded += chunk.len();
            if DISCARDED_BYTES_MAX < discarded {
                break;
            }
        }
    }

    /// Waits for the session and, if allowed, for more of the body.
    pub(super) fn poll(
        &mut self,
        may_read: bool,
        context: &mut Context<'_>,
    ) -> Poll<Result<Event, ErrorInfo>> {
        if let Poll::Ready(said) = self.link.poll(context) {
            self.patience.renew();
            return Poll::Ready(match said {
                Said::Text(text) => Ok(Event::Said(text)),
                Said::Closed(code) => Err(ended(code)),
            });
        }
        let has_room =
            self.unanswered.len() < UNANSWERED_MAX && self.unanswered_bytes < UNANSWERED_BYTES_MAX;
        if may_read
            && has_room
            && !self.has_ended
            && let Poll::Ready(chunk) = self.body.poll(context)
        {
            return Poll::Ready(match chunk {
                Ok(Some(chunk)) => Ok(Event::Chunk(chunk)),
                Ok(None) => {
                    self.has_ended = true;
                    Ok(Event::End)
                }
                Err(Broken) => Err(unreadable("it broke off")),
            });
        }
        // The session checks a token when a message arrives, and a silent body sends none.
        while self.expiry.as_mut().poll(context).is_ready() {
            if self.expires_at <= now() {
                return Poll::Ready(Err(ended(close::UNAUTHORIZED)));
            }
            self.expiry = next_look(self.expires_at);
        }
        let is_waiting = !self.is_answered();
        let late = self.patience.poll(is_waiting, context);
        late.map(|()| Err(failed("session", "it did not answer in time")))
    }
}

/// Until the token expires, or until the next check.
fn next_look(expires_at: Timestamp) -> Pin<Box<Delay>> {
    let wait = (expires_at - now()).clamp(0, LOOK_MS);
    Box::pin(Delay::from(Duration::from_millis(
        u64::try_from(wait).unwrap_or_default(),
    )))
}
