//! The inbox: one client's, or one role's, news from all sessions (P15).
//!
//! A deterministic state machine in the shape of the session ([`crate::machine`]). Nothing is
//! delivered to it yet, so it has no rows: it accepts connections, keeps them and answers.

mod attached;
mod connection;
mod machine;

pub use connection::{Connection, Start};

use std::convert::Infallible;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::ordered::Map;
use crate::protocol::capability::Role;
use crate::protocol::error::close;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::inbox::{Content, Request};
use crate::protocol::limits::Limits;
use crate::protocol::serial::Epoch;
use crate::store::sql::Sql;
use connection::Live;

/// Everything that can happen to an inbox.
pub type Input = crate::machine::Input<Inbox>;

/// Everything that follows from an input.
pub type Effect = crate::machine::Effect<Connection, Infallible>;

/// The name of an inbox's object: a client's own, or a role's. No client is named `role:NAME`
/// (P2.1), and no role `client:ID`.
pub fn address(client: &str, role: Option<Role>) -> String {
    match role {
        Some(role) => format!("role:{}", role.as_str()),
        None => format!("client:{client}"),
    }
}

/// A token's permissions in an inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The client's id.
    pub client: String,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// The rows of an inbox. An empty inbox has none, so this opens no table.
#[derive(Debug)]
pub struct Rows;

impl From<Rc<dyn Sql>> for Rows {
    fn from(_: Rc<dyn Sql>) -> Self {
        Self
    }
}

/// One inbox in memory.
#[derive(Debug)]
pub struct Inbox {
    name: String,
    limits: Limits,
    /// The epoch of its serials; its connections keep it over a sleep.
    epoch: Epoch,
    connections: Map<ConnectionId, Live>,
}

impl Inbox {
    /// Decides everything that follows from one input.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Effect> {
        let mut out = Vec::new();
        match input {
            Input::Open { connection, start } => self.open(now, connection, &start, &mut out),
            Input::Message {
                connection, frames, ..
            } => self.message(now, &connection, frames, &mut out),
            Input::Unreadable { connection, error } => {
                self.unreadable(now, &connection, error, &mut out);
            }
            Input::Renew {
                connection,
                reference,
                chain: _,
                grant,
            } => self.renew(now, &connection, &reference, grant, &mut out),
            Input::Unsent { connection, bytes } => {
                if self.limits.unsent_bytes < bytes {
                    self.shut(
                        &connection,
                        close::TOO_FAST,
                        "the reader is too slow",
                        &mut out,
                    );
                }
            }
            Input::Close { connection } => {
                self.connections.remove(&connection);
            }
            Input::Request { request, .. } => out.push(self.answer(request)),
            Input::Delivered(never) => match never {},
            // All of a client's readers may leave as much unsent as it has connections (P14):
            // frames of an inbox are small. Nothing here is due, and no body ends.
            Input::Backlog { .. }
            | Input::Heard { .. }
            | Input::BodyEnd { .. }
            | Input::Deadline => {}
        }
        out
    }

    /// `GET /v1/inbox` (P15.1).
    fn answer(&self, request: Request) -> Effect {
        let (status, body) = match request {
            Request::Read => {
                let content = serde_json::to_string(&self.content());
                (200, content.unwrap_or_default())
            }
            Request::Refused(error) => (error.status, error.body()),
        };
        Effect::Respond { status, body }
    }

    /// The content.
    fn content(&self) -> Content {
        Content {
            sessions: [],
            approvals: [],
            calls: [],
            work: [],
            serial: self.epoch.at(0),
        }
    }
}
