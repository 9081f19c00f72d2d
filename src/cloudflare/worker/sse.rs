//! Event streams: a WebSocket to the object on one side, `text/event-stream` on the other
//! (P3.8). The stream is the Worker's, so the object may sleep while it goes on.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use worker::Delay;
use worker::wasm_bindgen_futures::spawn_local;

use super::asked::Asked;
use super::events::Writer;
use super::link::{Link, Said};
use super::pipe::Pipe;
use super::refuse::closing;
use crate::cloudflare::platform::http::{Answer, streamed};
use crate::cloudflare::platform::time::now;
use crate::machine::Carrier;
use crate::protocol::error::{ErrorInfo, close};
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{DRAIN_MS, DRAIN_MS_LEAST};
use crate::protocol::query;

/// How often a comment goes out, so that no proxy takes the stream for dead.
const COMMENT_MS: i64 = 20_000;

/// Answers `GET …/events`.
///
/// # Errors
/// `invalid-frame` for a query that makes no sense; `internal` when the object fails.
pub(super) async fn serve(asked: &Asked<'_>) -> Result<Answer, ErrorInfo> {
    let mut attach = query::attach(asked.pairs, &asked.config.limits)?;
    // The header of a browser that reconnects by itself is newer than its address.
    let last = asked.request.headers().get("last-event-id").ok().flatten();
    if let Some(last) = last.filter(|last| !last.is_empty()) {
        attach.since = Some(query::position(&last));
    }
    let link = Link::open(asked, Carrier::Events, &attach).await?;
    let pipe = Pipe::new();
    let answer = streamed(200, "text/event-stream", &pipe.body());
    let (expires_at, limit) = (asked.admitted.expires_at, asked.config.limits.unsent_bytes);
    spawn_local(async move {
        let code = bridge(link, &pipe, expires_at, limit).await;
        if let Some(code) = code.filter(|code| (4000..5000).contains(code)) {
            pipe.write(&closing(code));
        }
        pipe.end();
    });
    Ok(answer)
}

enum Event {
    Said(Said),
    Left,
    Time,
}

/// Passes on the session's messages until the end; returns the close code, if there is one.
async fn bridge(mut link: Link, pipe: &Pipe, expires_at: Timestamp, limit: u64) -> Option<u16> {
    let mut writer = Writer::default();
    let mut timer = next_time(expires_at);
    let mut behind = None;
    loop {
        let event = poll_fn(|context| {
            if pipe.poll_left(context.waker()).is_ready() {
                return Poll::Ready(Event::Left);
            }
            if let Poll::Ready(said) = link.poll(context) {
                return Poll::Ready(Event::Said(said));
            }
            timer.as_mut().poll(context).map(|()| Event::Time)
        });
        match event.await {
            Event::Left => return None,
            Event::Said(Said::Closed(code)) => return Some(code),
            Event::Said(Said::Text(text)) => {
                writer.write(&text);
                pipe.write(&writer.take());
            }
            Event::Time if expires_at <= now() => return Some(close::UNAUTHORIZED),
            Event::Time => {
                pipe.write(":\n\n");
                timer = next_time(expires_at);
            }
        }
        // No back-pressure reaches the object through its WebSocket (P13.7).
        let allowance = limit.saturating_add(writer.replayed);
        if is_slow(&mut behind, pipe.unsent(), allowance) {
            pipe.clear();
            return Some(close::TOO_FAST);
        }
    }
}

/// Whether a reader had more unsent bytes than allowed, since `behind`, and time to take them. It
/// takes a message whole or not at all.
fn is_slow(behind: &mut Option<Timestamp>, unsent: u64, limit: u64) -> bool {
    if unsent <= limit {
        *behind = None;
        return false;
    }
    let given = if limit.saturating_mul(2) < unsent {
        DRAIN_MS_LEAST
    } else {
        DRAIN_MS
    };
    let since = *behind.get_or_insert_with(now);
    given <= now() - since
}

/// Until the next comment, or until the token expires (P2.6).
fn next_time(expires_at: Timestamp) -> Pin<Box<Delay>> {
    let wait = (expires_at - now()).clamp(0, COMMENT_MS);
    Box::pin(Delay::from(Duration::from_millis(
        u64::try_from(wait).unwrap_or_default(),
    )))
}
