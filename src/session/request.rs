//! Frames that come by HTTP (P12): the same frames, answered in the response.

use serde::Serialize;

use super::answer::Reply;
use super::chain::Chains;
use super::connection::Sender;
use super::outbox::Outbox;
use super::{Error, Input, Session};
use crate::protocol::decode::{ClientFrame, Received};
use crate::protocol::error::{ErrorInfo, close};
use crate::protocol::frame::{Outcome, ServerFrame, join};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::query::History as Page;
pub use crate::protocol::request::{Read, Request};
use crate::store::{Store, StoreError};

/// How the answers to the frames of a request make its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One ack or nack (P12.1).
    Frame,
    /// An array of them (P12.1).
    Frames,
    /// An ack's result alone (P12.2).
    Result {
        /// Whether the frame is one that creates something.
        creates: bool,
    },
}

impl Session {
    /// Answers a request, unless its client asks too much of the session.
    pub(super) fn request(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        request: Request,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        if let Err(error) = self.limit(now, sender, |rates| rates.may_ask(now)) {
            out.response = Some(refused(request, error));
            return Ok(());
        }
        self.ask(store, now, sender, request, out)?;
        let answer = out.response.as_ref().map_or(0, |(_, body)| body.len());
        self.charge(now, sender, out.made.saturating_add(answer));
        Ok(())
    }

    /// The one match over what may be asked.
    fn ask(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        request: Request,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let done = match request {
            Request::Frame(received) => {
                let frames = vec![received];
                return self.frames(store, now, sender, frames, Shape::Frame, out);
            }
            Request::Frames(frames) => {
                return self.frames(store, now, sender, frames, Shape::Frames, out);
            }
            Request::Shorthand(frame) => {
                let creates = matches!(
                    frame,
                    Ok(ClientFrame::Publish(_) | ClientFrame::StartTurn(_))
                );
                let frames = vec![Received {
                    reference: None,
                    chain: None,
                    frame,
                }];
                return self.frames(store, now, sender, frames, Shape::Result { creates }, out);
            }
            Request::Read(read) => self.read(store, sender, read),
            Request::Written(serial) => self.one_message(store, sender, &serial, true),
            Request::Settings(patch) => self.change_settings(store, now, sender, &patch, out),
            Request::Erase => self.erase(sender, out),
        };
        out.response = Some(match done {
            Ok(body) => (200, body),
            Err(Error::Refused(error)) => refusal(&error),
            Err(Error::Store(error)) => return Err(error),
        });
        Ok(())
    }

    /// The one match over what may be read.
    fn read(&self, store: &Store, sender: &Sender, read: Read) -> Result<String, Error> {
        match read {
            Read::Snapshot(page) => self.snapshot(store, sender, page.rewind),
            Read::Messages(page) => self.messages(store, sender, &page),
            Read::Message(message) => self.one_message(store, sender, &message.0, false),
            Read::Turns(page) => {
                let before = page.before.as_deref();
                self.list_turns(store, sender, page.all, before, page.limit)
            }
            Read::Turn(turn) => self.one_turn(store, sender, &turn.0),
            Read::Presence(_) => self.list_presence(sender),
        }
    }

    /// A page of history, or the conversation that leads to a message.
    fn messages(&self, store: &Store, sender: &Sender, page: &Page) -> Result<String, Error> {
        let (before, after) = (page.before.as_deref(), page.after.as_deref());
        match &page.to {
            Some(to) => self.conversation(store, sender, to, before, page.limit),
            None => self.history(store, sender, before, after, page.limit),
        }
    }

    /// Takes the frames of a request; its end closes the window (P5.4) if an answer waits for it,
    /// so that every answer is there.
    pub(super) fn frames(
        &mut self,
        store: &Store,
        now: Timestamp,
        sender: &Sender,
        frames: Vec<Received>,
        shape: Shape,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let mut chains = Chains::default();
        self.each(store, now, sender, None, frames, &mut chains, out)?;
        let settled = self.settle_for(store, now, sender.connection.as_ref(), out);
        self.survive(store, now, settled, out)?;
        let answers = std::mem::take(&mut out.answers);
        out.response = Some(match (shape, answers.into_iter()) {
            (Shape::Frames, answers) => {
                let answers: Vec<String> = answers.map(|(_, text)| text).collect();
                let list = join(&answers);
                (
                    200,
                    if answers.len() == 1 {
                        format!("[{list}]")
                    } else {
                        list
                    },
                )
            }
            (Shape::Result { creates }, mut answers) => match answers.next() {
                Some((ServerFrame::Ack { result, .. }, _)) => {
                    let status = if creates { created(&result) } else { 200 };
                    (status, serde_json::to_string(&result).unwrap_or_default())
                }
                Some((ServerFrame::Nack { error, .. }, _)) => refusal(&error),
                _ => (200, "{}".to_owned()),
            },
            (Shape::Frame, mut answers) => match answers.next() {
                Some((ServerFrame::Nack { error, .. }, text)) => (error.status, text),
                Some((_, text)) => (200, text),
                None => (200, "{}".to_owned()),
            },
        });
        Ok(())
    }

    /// Between the decision to delete a session and its end (P11.2).
    pub(super) fn refuse_all(&mut self, input: Input, out: &mut Outbox) {
        let error = self.gone();
        match input {
            Input::Request { request, .. } => {
                out.response = Some(refused(request, error));
            }
            Input::Open { connection, .. } => {
                out.send(&connection.id, &ServerFrame::Nack { r#ref: None, error });
                out.close(&connection.id, close::GONE, "the session is being deleted");
            }
            Input::Message { .. }
            | Input::Unreadable { .. }
            | Input::BodyEnd { .. }
            | Input::Heard { .. }
            | Input::Renew { .. }
            | Input::Unsent { .. }
            | Input::Backlog { .. }
            | Input::Close { .. }
            | Input::Deadline => {}
        }
    }

    /// P13.6: one nack for a message that cannot be read at all.
    pub(super) fn unreadable(
        &mut self,
        now: Timestamp,
        connection: &ConnectionId,
        error: ErrorInfo,
        out: &mut Outbox,
    ) {
        let Some(live) = self.connections.get(connection) else {
            return;
        };
        let (sender, carrier) = (live.connection.sender(), live.connection.carrier);
        let limited = self.limit(now, &sender, |rates| {
            rates.message(now)?;
            rates.refusal(now)
        });
        let is_fast = limited.is_err();
        let reply = Reply::new(&sender, Some(carrier), None);
        let is_huge = error.code == crate::protocol::error::ErrorCode::TooLarge;
        self.answer(out, &reply, Err(error));
        if is_fast {
            self.shut(out, connection, close::TOO_FAST, "too many messages");
        } else if is_huge {
            self.shut(
                out,
                connection,
                close::TOO_LARGE,
                "the message is too large",
            );
        }
    }
}

/// The refusal of a request, whatever it asks for; of one frame, as its nack.
fn refused(request: Request, error: ErrorInfo) -> (u16, String) {
    let Request::Frame(Received { reference, .. }) = request else {
        return refusal(&error);
    };
    let status = error.status;
    let nack = ServerFrame::Nack {
        r#ref: reference,
        error,
    };
    (status, nack.encode())
}

/// A refusal as an HTTP response (P13.2).
pub(super) fn refusal(error: &ErrorInfo) -> (u16, String) {
    #[derive(Serialize)]
    struct Body<'a> {
        error: &'a ErrorInfo,
    }
    (
        error.status,
        serde_json::to_string(&Body { error }).unwrap_or_default(),
    )
}

/// 201 for what is created, 200 otherwise (P12.2).
fn created(result: &Outcome) -> u16 {
    match result {
        Outcome::Published { messages } if messages.iter().any(|placed| !placed.duplicate) => 201,
        Outcome::Turn {
            turn,
            duplicate: false,
        } if turn.is_new() => 201,
        _ => 200,
    }
}
