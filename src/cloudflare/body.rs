//! A message streamed as the body of one request, for agents that only have fetch (P5.5).

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};

use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use worker::ByteStream;

use super::call::{Action, Call, Opening, failed};
use super::http::{Answer, json as answer_json, refusal, unreadable};
use super::lines::frames;
use super::link::{Link, Said, ended};
use super::patience::Patience;
use super::router::Asked;
use super::text::{Characters, Malformed, pieces};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::query;
use crate::session::Carrier;

/// Bytes of one append.
const APPEND_BYTES: usize = 64 * 1024;
/// Bytes of appends that wait for their acks; then no more of the body is read.
const UNANSWERED_BYTES_MAX: usize = 1024 * 1024;

/// Answers `POST …/messages?stream=1`.
///
/// # Errors
/// What is wrong with the request, or why the message could not be written to its end.
pub(super) async fn serve(asked: &Asked<'_>) -> Result<Answer, ErrorInfo> {
    if !asked.is_type("text/plain") {
        let message = "unable to stream a message; its content-type is not text/plain";
        return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
    }
    let mut body = asked.request.body().map(ByteStream::from);
    let opening = Opening::writer(Carrier::Body);
    let link = Link::open(asked.env, asked.session, &asked.grant, opening).await?;
    let mut upload = Upload::new(link);
    let placed = match upload.begin(asked.pairs, &mut body).await {
        Ok(placed) => placed,
        Err(stop) => return stop.answer(),
    };
    if placed.duplicate {
        drop(upload);
        return finish(asked, &placed).await;
    }
    match upload.run(&placed.serial, body).await {
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
    let action = Action::Message(placed.serial.clone(), true);
    let call = Call {
        grant: asked.grant.clone(),
        action,
    };
    let response = call.make(asked.env, asked.session, None).await?;
    let text = super::http::read_all(response.body(), usize::MAX).await?;
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
    /// The session refused: its error as it came, with its status.
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

/// An ack or a nack, as far as this needs it.
#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    result: Option<PublishResult>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct PublishResult {
    #[serde(default)]
    messages: Vec<Placed>,
}

/// Where the message stands.
#[derive(Clone, Deserialize)]
struct Placed {
    serial: String,
    #[serde(default)]
    duplicate: bool,
}

#[derive(Deserialize)]
struct Refusal {
    status: u16,
}

/// A message on its way.
struct Upload {
    link: Link,
    characters: Characters,
    /// Whether all that came so far is UTF-8.
    is_text: Result<(), Malformed>,
    seq: u64,
    /// The attempt of the turn that it belongs to (P6.8).
    attempt: Option<u64>,
    /// Sizes of the appends that wait for their acks.
    unanswered: VecDeque<usize>,
    unanswered_bytes: usize,
    patience: Patience,
}

enum Event {
    Chunk(Vec<u8>),
    End,
    Broken,
    Said(Said),
    Late,
}

impl Upload {
    fn new(link: Link) -> Self {
        Self {
            link,
            characters: Characters::default(),
            is_text: Ok(()),
            seq: 0,
            attempt: None,
            unanswered: VecDeque::new(),
            unanswered_bytes: 0,
            patience: Patience::new(),
        }
    }

    /// Creates the message, with as much of its text as has come already.
    async fn begin(
        &mut self,
        pairs: &query::Pairs,
        body: &mut Option<ByteStream>,
    ) -> Result<Placed, Stop> {
        let first =
            poll_fn(|context| Poll::Ready(body.as_mut().map(|body| body.poll_next_unpin(context))));
        let chunk = match first.await {
            Some(Poll::Ready(Some(Ok(chunk)))) => chunk,
            Some(Poll::Ready(Some(Err(_)))) => return Err(unreadable("it broke off").into()),
            Some(Poll::Ready(None)) => {
                *body = None;
                Vec::new()
            }
            Some(Poll::Pending) | None => Vec::new(),
        };
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
        self.unanswered.push_back(0);
        self.link.send(&publish.to_string());
        let placed = loop {
            match poll_fn(|context| self.poll(None, context)).await {
                Event::Said(said) => {
                    if let Some(placed) = self.hear(said)? {
                        break placed;
                    }
                }
                _ => return Err(late().into()),
            }
        };
        for piece in rest {
            self.append(&placed.serial, piece, None);
        }
        self.is_text = is_text;
        Ok(placed)
    }

    /// Appends the rest of the body, and closes the message.
    async fn run(&mut self, serial: &str, body: Option<ByteStream>) -> Result<(), Stop> {
        let mut body = Some(body);
        loop {
            // What came before is kept: it was shown already, or might have been.
            if self.is_text.is_err() {
                return Err(not_utf8().into());
            }
            if body.is_none() && self.unanswered.is_empty() {
                return Ok(());
            }
            let source = body.as_mut();
            let event = match source {
                Some(None) => Event::End,
                Some(Some(stream)) => poll_fn(|context| self.poll(Some(stream), context)).await,
                None => poll_fn(|context| self.poll(None, context)).await,
            };
            match event {
                Event::Chunk(chunk) => {
                    let (text, is_text) = self.characters.take(&chunk);
                    for piece in pieces(&text, APPEND_BYTES) {
                        self.append(serial, piece, None);
                    }
                    self.is_text = is_text;
                }
                Event::End => {
                    body = None;
                    self.is_text = self.characters.end();
                    if self.is_text.is_ok() {
                        self.append(serial, "", Some("complete"));
                    }
                }
                Event::Broken => return Err(unreadable("it broke off").into()),
                Event::Said(said) => {
                    self.hear(said)?;
                }
                Event::Late => return Err(late().into()),
            }
        }
    }

    fn poll(&mut self, body: Option<&mut ByteStream>, context: &mut Context<'_>) -> Poll<Event> {
        if let Poll::Ready(said) = self.link.poll(context) {
            self.patience.renew();
            return Poll::Ready(Event::Said(said));
        }
        if let Some(body) = body.filter(|_| self.unanswered_bytes < UNANSWERED_BYTES_MAX)
            && let Poll::Ready(chunk) = body.poll_next_unpin(context)
        {
            return Poll::Ready(match chunk {
                Some(Ok(chunk)) => Event::Chunk(chunk),
                Some(Err(_)) => Event::Broken,
                None => Event::End,
            });
        }
        let is_waiting = !self.unanswered.is_empty();
        self.patience
            .poll(is_waiting, context)
            .map(|()| Event::Late)
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
        self.unanswered.push_back(text.len());
        self.unanswered_bytes += text.len();
        self.link.send(&append.to_string());
    }

    /// Takes what the session says: answers, in the order of the frames.
    fn hear(&mut self, said: Said) -> Result<Option<Placed>, Stop> {
        let text = match said {
            Said::Text(text) => text,
            Said::Closed(code) => return Err(ended(code).into()),
        };
        let mut placed = None;
        for frame in frames(&text) {
            let Ok(reply) = serde_json::from_str::<Reply<'_>>(frame.get()) else {
                continue;
            };
            match (reply.kind, reply.error) {
                ("ack", _) => {
                    let bytes = self.unanswered.pop_front().unwrap_or_default();
                    self.unanswered_bytes = self.unanswered_bytes.saturating_sub(bytes);
                    let messages = reply.result.map(|result| result.messages);
                    placed = messages.and_then(|messages| messages.into_iter().next());
                }
                ("nack", Some(error)) => {
                    let refusal = serde_json::from_str::<Refusal>(error.get());
                    let status = refusal.map_or(500, |refusal| refusal.status);
                    return Err(Stop::Refused(status, error.get().to_owned()));
                }
                _ => {}
            }
        }
        Ok(placed)
    }

    /// Marks the message failed, so that who is told of the failure finds it so.
    async fn fail(&mut self, serial: &str) {
        self.append(serial, "", Some("failed"));
        while let Event::Said(said) = poll_fn(|context| self.poll(None, context)).await {
            if self.hear(said).is_err() || self.unanswered.is_empty() {
                return;
            }
        }
    }
}

fn not_utf8() -> ErrorInfo {
    unreadable("it is not UTF-8")
}

fn late() -> ErrorInfo {
    failed("it did not answer in time")
}
