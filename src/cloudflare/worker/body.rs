//! A message streamed as the body of one request, for agents that only have fetch (P5.5).

use std::future::poll_fn;

use serde::Serialize;
use serde_json::json;

use super::asked::Asked;
use super::exchange::{Event, Exchange};
use super::link::Link;
use super::text::{Characters, Malformed, pieces};
use crate::cloudflare::platform::chunks::Chunks;
use crate::cloudflare::platform::http::{
    Answer, json as answer_json, read_all, refusal, unreadable,
};
use crate::machine::Carrier;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::split;
use crate::protocol::object::{Object, read_fields};
use crate::protocol::query;
use crate::protocol::routes::WRITTEN;

/// Bytes of one append.
const APPEND_BYTES: usize = 64 * 1024;

/// Answers `POST …/messages?stream=1`.
///
/// # Errors
/// What is wrong with the request, or why the message could not be written to its end.
pub(super) async fn serve(asked: &Asked<'_>) -> Result<Answer, ErrorInfo> {
    if !asked.is_type("text/plain") {
        let message = "unable to stream a message; its content-type is not text/plain";
        return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
    }
    // Reading begins now, so that the message begins with the bytes that have arrived by then.
    let body = Chunks::new(asked.request.body());
    let link = Link::open(asked, Carrier::Body, &query::Attach::default()).await?;
    let mut upload = Upload::new(Exchange::new(link, body, asked.admitted.expires_at));
    let placed = match upload.begin(asked.pairs).await {
        Ok(placed) => placed,
        Err(stop) => return stop.answer(),
    };
    if placed.duplicate {
        drop(upload);
        return finish(asked, &placed).await;
    }
    match upload.run(&placed.serial).await {
        Ok(()) => {
            drop(upload);
            finish(asked, &placed).await
        }
        Err(stop) => {
            upload.fail(&placed.serial).await;
            stop.answer()
        }
    }
}

/// The answer at the end: the message without its data.
async fn finish(asked: &Asked<'_>, placed: &Placed) -> Result<Answer, ErrorInfo> {
    let session = asked.params.first().cloned().unwrap_or_default();
    let params = vec![session, placed.serial.clone()];
    let response = asked.question(&WRITTEN, params, Vec::new(), None).await?;
    let text = read_all(response.body(), usize::MAX).await?;
    if response.status() != 200 {
        return Ok(answer_json(response.status(), &text));
    }
    if !placed.duplicate {
        return Ok(answer_json(201, &text));
    }
    let mut whole: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    if whole
        .pointer("/message/status")
        .is_some_and(|status| status == "streaming")
    {
        let message = format!(
            "unable to stream a message; {} has this id and is still being streamed",
            placed.serial
        );
        return Err(ErrorInfo::new(ErrorCode::Conflict, message));
    }
    if let Some(whole) = whole.as_object_mut() {
        whole.insert("duplicate".to_owned(), true.into());
    }
    Ok(answer_json(200, &whole.to_string()))
}

/// Why an upload stopped.
enum Stop {
    /// The session refused: its error unchanged, with its status.
    Refused(u16, String),
    /// Something else.
    Failed(ErrorInfo),
}

impl Stop {
    fn answer(self) -> Result<Answer, ErrorInfo> {
        match self {
            Self::Refused(status, error) => {
                Ok(answer_json(status, &format!("{{\"error\":{error}}}")))
            }
            Self::Failed(error) => Ok(refusal(&error)),
        }
    }
}

impl From<ErrorInfo> for Stop {
    fn from(error: ErrorInfo) -> Self {
        Self::Failed(error)
    }
}

/// The message as it is created.
#[derive(Serialize)]
struct Created<'a> {
    role: &'a str,
    status: &'a str,
    data: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<&'a str>,
}

/// An acknowledged `publish`, as far as needed here.
struct PublishResult {
    messages: Vec<Placed>,
}

read_fields!(PublishResult {
    messages: or_default,
});

/// The position of the message.
#[derive(Clone)]
struct Placed {
    serial: String,
    duplicate: bool,
}

read_fields!(Placed {
    serial,
    duplicate: or_default,
});

/// A message on its way.
struct Upload {
    exchange: Exchange,
    characters: Characters,
    /// Whether all bytes so far are UTF-8.
    is_text: Result<(), Malformed>,
    seq: u64,
    /// The attempt of the turn that it belongs to (P6.8).
    attempt: Option<u64>,
}

impl Upload {
    fn new(exchange: Exchange) -> Self {
        Self {
            exchange,
            characters: Characters::default(),
            is_text: Ok(()),
            seq: 0,
            attempt: None,
        }
    }

    /// Creates the message, with the text that has arrived already.
    async fn begin(&mut self, pairs: &query::Pairs) -> Result<Placed, Stop> {
        let chunk = self.exchange.take();
        let (text, is_text) = self.characters.take(&chunk);
        let mut rest = pieces(&text, APPEND_BYTES).into_iter();
        let find = |name| query::find(pairs, name);
        let message = Created {
            role: "assistant",
            status: "streaming",
            data: rest.next().unwrap_or_default(),
            name: find("name"),
            id: find("id"),
            turn: find("turn"),
        };
        self.attempt = query::attempt(pairs)?;
        let publish = json!({
            "type": "publish", "ref": 0, "attempt": self.attempt, "messages": [message],
        });
        self.exchange.ask(0);
        self.exchange.send(&publish.to_string());
        let placed = loop {
            if let Some(placed) = self.hear_only().await? {
                break placed;
            }
        };
        for piece in rest {
            self.append(&placed.serial, piece, None);
        }
        self.is_text = is_text;
        Ok(placed)
    }

    /// Appends the rest of the body, and closes the message.
    async fn run(&mut self, serial: &str) -> Result<(), Stop> {
        loop {
            // Earlier text is kept: readers saw it already, or may have.
            if self.is_text.is_err() {
                return Err(unreadable("it is not UTF-8").into());
            }
            if self.exchange.is_over() {
                return Ok(());
            }
            match poll_fn(|context| self.exchange.poll(true, context)).await? {
                Event::Chunk(chunk) => {
                    let (text, is_text) = self.characters.take(&chunk);
                    for piece in pieces(&text, APPEND_BYTES) {
                        self.append(serial, piece, None);
                    }
                    self.is_text = is_text;
                }
                Event::End => {
                    self.is_text = self.characters.end();
                    if self.is_text.is_ok() {
                        self.append(serial, "", Some("complete"));
                    }
                }
                Event::Said(text) => {
                    self.hear(&text)?;
                }
            }
        }
    }

    fn append(&mut self, serial: &str, text: &str, status: Option<&str>) {
        if text.is_empty() && status.is_none() {
            return;
        }
        self.seq += 1;
        let append = json!({
            "type": "append", "ref": self.seq, "serial": serial, "seq": self.seq, "data": text,
            "status": status, "attempt": self.attempt,
        });
        self.exchange.ask(text.len());
        self.exchange.send(&append.to_string());
    }

    /// Waits for the session alone.
    async fn hear_only(&mut self) -> Result<Option<Placed>, Stop> {
        match poll_fn(|context| self.exchange.poll(false, context)).await? {
            Event::Said(text) => self.hear(&text),
            Event::Chunk(_) | Event::End => Ok(None),
        }
    }

    /// Handles the session's messages: answers, in the order of the frames.
    fn hear(&mut self, text: &str) -> Result<Option<Placed>, Stop> {
        let mut placed = None;
        for frame in split(text) {
            let Some(reply) = Object::read(frame.get()) else {
                continue;
            };
            match (reply.word("type").as_deref(), reply.raw("error")) {
                (Some("ack"), _) => {
                    self.exchange.answered();
                    let result: Option<PublishResult> = reply.field("result").unwrap_or_default();
                    placed = result.and_then(|result| result.messages.into_iter().next());
                }
                (Some("nack"), Some(error)) => {
                    let refusal = Object::read(error.get());
                    let status = refusal.and_then(|refusal| refusal.field("status").ok());
                    let status = status.unwrap_or(500);
                    return Err(Stop::Refused(status, error.get().to_owned()));
                }
                _ => {}
            }
        }
        Ok(placed)
    }

    /// Marks the message failed, so that a client told of the failure finds it so.
    async fn fail(&mut self, serial: &str) {
        self.append(serial, "", Some("failed"));
        while !self.exchange.is_answered() && self.hear_only().await.is_ok() {}
    }
}
