//! Inputs that are answered without being handled.

use super::context::Context;
use super::engine::Connection;
use super::readers::attach;
use super::request::{refusal, refused};
use super::transfer::import::is_importing;
use crate::machine::{Input, Machine};
use crate::protocol::error::close;
use crate::protocol::ids::ConnectionId;
use crate::protocol::request::Request;

/// Between the decision to delete a session and its end (P11.2), and while it is imported (P11.6).
pub(super) fn refuse_all<M>(cx: &mut Context<'_>, input: Input<M>)
where
    M: Machine<Connection = Connection, Request = Request>,
{
    let (error, code, reason) = match cx.memory.importing {
        Some(_) => {
            let reason = "the session is being imported";
            (is_importing(cx), close::TOO_FAST, reason)
        }
        None => {
            let reason = "the session is being deleted";
            (cx.engine.gone(), close::GONE, reason)
        }
    };
    match input {
        Input::Request { request, .. } => {
            cx.engine.out.response = Some(refused(request, error));
        }
        Input::Open { connection, .. } => {
            attach::refuse(cx, &connection.id, error, code, reason);
        }
        Input::Message { .. }
        | Input::Unreadable { .. }
        | Input::BodyEnd { .. }
        | Input::Heard { .. }
        | Input::Renew { .. }
        | Input::Unsent { .. }
        | Input::Backlog { .. }
        | Input::Close { .. }
        | Input::Deadline
        | Input::Delivered(_) => {}
    }
}

/// The party that waits for an input's answer.
pub(super) enum Waiting {
    Nobody,
    Request,
    Connection(ConnectionId),
}

impl Waiting {
    pub(super) fn of<M: Machine<Connection = Connection>>(input: &Input<M>) -> Self {
        match input {
            Input::Open { connection, .. } => Self::Connection(connection.id.clone()),
            Input::Request { .. } => Self::Request,
            Input::Message { .. }
            | Input::Unreadable { .. }
            | Input::BodyEnd { .. }
            | Input::Heard { .. }
            | Input::Renew { .. }
            | Input::Unsent { .. }
            | Input::Backlog { .. }
            | Input::Close { .. }
            | Input::Deadline
            | Input::Delivered(_) => Self::Nobody,
        }
    }

    /// Refuses an input that could not be stored; it may be sent again.
    pub(super) fn refuse_full(&self, cx: &mut Context<'_>) {
        let error = cx.engine.full();
        match self {
            Self::Nobody => {}
            Self::Request => {
                let response = &mut cx.engine.out.response;
                response.get_or_insert_with(|| refusal(&error));
            }
            Self::Connection(id) => {
                attach::refuse(cx, id, error, close::TOO_FAST, "no room left");
            }
        }
    }
}
