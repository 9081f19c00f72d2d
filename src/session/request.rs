//! Frames that come by HTTP (P12): the same frames, answered in the response.

use serde::Serialize;

use super::answer::Reply;
use super::connection::Sender;
use super::outbox::Outbox;
use super::{Input, Request, Session};
use crate::protocol::decode::Received;
use crate::protocol::error::{ErrorInfo, close};
use crate::protocol::frame::{Outcome, ServerFrame, join};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::store::{Store, StoreError};

/// How the answers to the frames of a request make its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One ack or nack (P12.1).
    Frame,
    /// An array of them (P12.1).
    Frames,
    /// An ack's result alone (P12.2).
    Result,
}

impl Session {
    /// Takes the frames of a request; its end closes the window (P5.4), so that every answer
    /// is there.
    pub(super) fn frames(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
        sender: &Sender,
        frames: Vec<Received>,
        shape: Shape,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        for received in frames {
            let reply = Reply::new(sender, None, received.reference);
            self.frame(store, now, sender, received.frame, &reply, out)?;
        }
        self.settle(store, now, out)?;
        let answers = std::mem::take(&mut out.answers);
        out.response = Some(match (shape, answers.into_iter()) {
            (Shape::Frames, answers) => {
                let answers: Vec<String> = answers.map(|answer| answer.encode()).collect();
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
            (_, mut answers) => match answers.next() {
                Some(ServerFrame::Ack { result, .. }) if shape == Shape::Result => {
                    let body = serde_json::to_string(&result).unwrap_or_default();
                    (created(&result), body)
                }
                Some(ServerFrame::Nack { error, .. }) if shape == Shape::Result => refusal(&error),
                Some(ServerFrame::Nack { error, r#ref }) => {
                    let status = error.status;
                    (status, ServerFrame::Nack { error, r#ref }.encode())
                }
                Some(answer) => (200, answer.encode()),
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
                out.response = Some(match request {
                    Request::Frame(Received { reference, .. }) => {
                        let status = error.status;
                        (
                            status,
                            ServerFrame::Nack {
                                r#ref: reference,
                                error,
                            }
                            .encode(),
                        )
                    }
                    _ => refusal(&error),
                });
            }
            Input::Open { connection, .. } => {
                out.send(&connection.id, &ServerFrame::Nack { r#ref: None, error });
                out.close(&connection.id, close::GONE, "the session is being deleted");
            }
            Input::Message { .. }
            | Input::Unreadable { .. }
            | Input::BodyEnd { .. }
            | Input::Renew { .. }
            | Input::Unsent { .. }
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
        let Some(live) = self.connections.get_mut(connection) else {
            return;
        };
        let is_fast = live.rates.message(now).is_err();
        let reply = Reply::new(
            &live.connection.sender(),
            Some(live.connection.carrier),
            None,
        );
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
        _ => 200,
    }
}
