//! The kinds of things that an address names, and how a request for one is answered.

use crate::protocol::error::ErrorInfo;
use crate::protocol::inbox;
use crate::protocol::limits::Limits;
use crate::protocol::query::Parts;
use crate::protocol::request::Request;

/// The subject of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A session; the address's first parameter names it.
    Session,
    /// The inbox of the token's client, or of its role (P15).
    Inbox,
    /// The devices of the token's client, in its own inbox (P10.1).
    Devices,
    /// The revocations of the deployment (P11.5).
    Revocations,
    /// A client, in its own inbox; the address's first parameter names it (P11.10).
    Client,
}

/// How a request is answered.
#[derive(Clone, Copy, Debug)]
pub enum Serve {
    /// By a WebSocket (P3.3).
    Socket,
    /// By an event stream (P3.8).
    Events,
    /// By one call and one answer.
    Answer(Decode),
    /// The same, or line by line while the body comes (P12.1).
    Lines(Decode),
    /// The same, or by a message that grows while the body comes (P5.5).
    Body(Decode),
    /// By a body, of the request or of its answer, that is as long as a session (P11.6).
    Transfer(Decode),
    /// By figures of the object that the resource has no part in (P11.4).
    Report,
    /// By the key of the deployment's Web Push, without any object (P10.1).
    PushKey,
    /// By the bucket of files, in this way: `upload`, `download` or `sign` (P11.7).
    File(&'static str),
    /// By the end of the object's memory and of its connections (`RESTART`).
    Restart,
}

/// The decoder of a request, by machine.
#[derive(Clone, Copy, Debug)]
pub enum Decode {
    /// Of a session.
    Session(fn(&Parts<'_>, &Limits) -> Result<Request, ErrorInfo>),
    /// Of an inbox.
    Inbox(fn(&Parts<'_>, &Limits) -> Result<inbox::Request, ErrorInfo>),
}
