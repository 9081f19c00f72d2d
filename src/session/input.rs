//! Everything that can happen to a session.

use super::engine::{Connection, Delivered, Sender};
use super::request::Request;
use crate::protocol::decode::{Received, Ref};
use crate::protocol::error::ErrorInfo;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::token::Grant;

/// Everything that can happen to a session.
#[derive(Debug)]
pub enum Input {
    /// A connection was accepted.
    Open {
        /// Who and how; `told` is filled in by the session.
        connection: Connection,
        /// Where its replay begins (P3.3).
        start: Start,
    },
    /// A WebSocket message came in.
    Message {
        /// Over which connection.
        connection: ConnectionId,
        /// The frames in it.
        frames: Vec<Received>,
        /// Its size in bytes.
        bytes: usize,
        /// Whether no other is expected in this turn of the event loop: then what is due at
        /// once is stored and sent with it, and waits for no timer (P5.4).
        is_alone: bool,
    },
    /// A WebSocket message came in that cannot be read at all (P13.6).
    Unreadable {
        /// Over which connection.
        connection: ConnectionId,
        /// Why not.
        error: ErrorInfo,
    },
    /// A streamed HTTP body came to its end: what is pending is stored and answered (P5.4).
    BodyEnd {
        /// The connection that carries it.
        connection: ConnectionId,
    },
    /// A fresh token came over a connection, and was checked (P2.6).
    Renew {
        /// Over which connection.
        connection: ConnectionId,
        /// The frame's own mark.
        reference: Option<Ref>,
        /// The frames that it stands on (P13.8).
        chain: Option<u64>,
        /// What the token grants, or why it does not hold.
        grant: Result<Grant, ErrorInfo>,
    },
    /// The platform tells when connections last sent a text `ping`, which it answers without
    /// a word (P7.2). To be given before another input once [`Session::listens_at`] has come.
    Heard {
        /// When, for those that ever did.
        heard: Vec<(ConnectionId, Timestamp)>,
    },
    /// The platform tells how much a reader has not taken yet (P13.7).
    Unsent {
        /// The reader.
        connection: ConnectionId,
        /// Bytes sent and not taken.
        bytes: u64,
    },
    /// The platform tells what every reader has not taken yet (P14).
    Backlog {
        /// Those who have anything to take, and how many bytes.
        unsent: Vec<(ConnectionId, u64)>,
        /// Whether they had time to take something since it was sent.
        had_time: bool,
    },
    /// A connection is gone, with or without a goodbye.
    Close {
        /// Which.
        connection: ConnectionId,
    },
    /// An HTTP request; its answer is the one [`Effect::Respond`] among the effects.
    Request {
        /// Who asks.
        sender: Sender,
        /// What for.
        request: Request,
    },
    /// A time that [`Session::deadline`] or [`Session::window`] named has come, or may have.
    Deadline,
    /// An attempt has come to its end ([`Effect::Deliver`]). None comes for one that was under
    /// way when the session was lost.
    Delivered(Delivered),
}

/// Where a replay begins (P3.3).
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The position to resume after, as the client gave it.
    pub since: Option<String>,
    /// How many messages to go back otherwise.
    pub rewind: usize,
}
