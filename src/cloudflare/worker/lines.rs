//! Frames as the lines of a body that may still be being produced, answered line by line meanwhile
//! (P12.1).

use std::borrow::Cow;
use std::future::poll_fn;
use std::task::{Context, Poll};

use serde_json::value::RawValue;
use worker::wasm_bindgen_futures::spawn_local;

use super::asked::Asked;
use super::exchange::{Event, Exchange};
use super::link::Link;
use super::pipe::Pipe;
use crate::cloudflare::platform::chunks::Chunks;
use crate::cloudflare::platform::http::{Answer, streamed};
use crate::machine::Carrier;
use crate::protocol::error::ErrorInfo;
use crate::protocol::frame::{ServerFrame, split};
use crate::protocol::limits::Limits;
use crate::protocol::object::Object;
use crate::protocol::query::Attach;

/// Unsent answers; beyond that no more of the body is read.
const UNTAKEN_BYTES_MAX: u64 = 1024 * 1024;
/// Approximate bytes of lines that go to the object in one message.
const BATCH_BYTES: usize = 128 * 1024;

/// Answers `POST …/frames` with `application/x-ndjson`.
///
/// # Errors
/// `internal`, when the object fails before anything was read.
pub(super) async fn serve(asked: &Asked<'_>) -> Result<Answer, ErrorInfo> {
    let body = Chunks::new(asked.request.body());
    let link = Link::open(asked, Carrier::Lines, &Attach::default()).await?;
    let limits = asked.config.limits.clone();
    let pipe = Pipe::new();
    let answer = streamed(200, "application/x-ndjson", &pipe.body());
    let exchange = Exchange::new(link, body, asked.admitted.expires_at);
    spawn_local(async move {
        let mut lines = Lines::new(exchange, &pipe, &limits);
        let done = lines.run().await;
        if let Err(error) = &done {
            let error = error.clone();
            pipe.write(&(ServerFrame::Nack { r#ref: None, error }.encode() + "\n"));
        }
        pipe.end();
        if done.is_err() {
            lines.exchange.discard().await;
        }
    });
    Ok(answer)
}

/// Lines on their way to the object, and answers on their way back.
struct Lines<'a> {
    exchange: Exchange,
    pipe: &'a Pipe,
    longest: usize,
    /// Lines of one message (P14).
    most: usize,
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
}

impl<'a> Lines<'a> {
    fn new(exchange: Exchange, pipe: &'a Pipe, limits: &Limits) -> Self {
        Self {
            exchange,
            pipe,
            longest: limits.frame_bytes(),
            most: limits.array_frames(),
            partial: Vec::new(),
        }
    }

    async fn run(&mut self) -> Result<(), ErrorInfo> {
        while !self.exchange.is_over() {
            match poll_fn(|context| self.poll(context)).await? {
                Some(Event::Chunk(chunk)) => self.take(&chunk),
                Some(Event::End) => {
                    let last = std::mem::take(&mut self.partial);
                    self.send(&[&last]);
                    // An empty message marks the body's end (P5.4).
                    self.exchange.send("");
                }
                Some(Event::Said(text)) => self.answer(&text),
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// `None` when the client has left.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Event>, ErrorInfo>> {
        if self.pipe.poll_left(context.waker()).is_ready() {
            return Poll::Ready(Ok(None));
        }
        let may_read = self.pipe.unsent() < UNTAKEN_BYTES_MAX;
        let event = self.exchange.poll(may_read, context);
        event.map(|event| event.map(Some))
    }

    /// Sends the lines that a chunk completes.
    fn take(&mut self, chunk: &[u8]) {
        let mut lines: Vec<&[u8]> = chunk.split(|byte| *byte == b'\n').collect();
        // The rest after the last line break is not complete yet.
        let rest = lines.pop().unwrap_or_default();
        let first;
        if let Some(line) = lines.first_mut() {
            first = self.completed(line);
            *line = &first;
            self.send(&lines);
        }
        self.keep(rest);
    }

    /// The line that began in earlier chunks and ends in this one.
    fn completed(&mut self, end: &[u8]) -> Vec<u8> {
        self.keep(end);
        std::mem::take(&mut self.partial)
    }

    /// Keeps the beginning of a line, but no more of it than shows that it is too long.
    fn keep(&mut self, part: &[u8]) {
        let room = (self.longest + 1).saturating_sub(self.partial.len());
        self.partial.extend(part.iter().take(room));
    }

    /// Sends lines, many in one message. Empty lines are skipped.
    fn send(&mut self, lines: &[&[u8]]) {
        let mut batch = String::new();
        let mut count = 0;
        for line in lines {
            let line = line
                .get(..line.len().min(self.longest + 1))
                .unwrap_or_default();
            let line = readable(line);
            if line.trim().is_empty() {
                continue;
            }
            if !batch.is_empty() {
                batch.push('\n');
            }
            batch.push_str(&line);
            self.exchange.ask(line.len());
            count += 1;
            if BATCH_BYTES < batch.len() || self.most <= count {
                self.exchange.send(&std::mem::take(&mut batch));
                count = 0;
            }
        }
        if !batch.is_empty() {
            self.exchange.send(&batch);
        }
    }

    /// Passes on the answers in a message of the session.
    fn answer(&mut self, text: &str) {
        let mut lines = String::new();
        for frame in split(text) {
            if is_answer(frame) && self.exchange.answered() {
                lines.push_str(frame.get());
                lines.push('\n');
            }
        }
        if !lines.is_empty() {
            self.pipe.write(&lines);
        }
    }
}

/// A line as text. Invalid UTF-8 becomes a text that the session refuses by name (P1.3); a line
/// that was cut for its length is refused for that.
fn readable(line: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(line) {
        Err(error) if error.error_len().is_some() => Cow::Borrowed("\"the line is not UTF-8\""),
        _ => String::from_utf8_lossy(line),
    }
}

/// Whether a frame is an ack or a nack.
fn is_answer(frame: &RawValue) -> bool {
    let kind = Object::read(frame.get()).and_then(|frame| frame.word("type"));
    matches!(kind.as_deref(), Some("ack" | "nack"))
}
