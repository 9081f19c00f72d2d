//! The use of a connection, and the part of it that a machine's program must know.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::protocol::ids::ConnectionId;
use crate::protocol::object::words;

/// The use of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A WebSocket of a client: reads and writes.
    Socket,
    /// An event stream (P3.8): reads; it takes no frames.
    Events,
    /// The lines of an HTTP body (P12.1): writes; every frame is answered.
    Lines,
    /// A message streamed as an HTTP body (P5.5): writes; its message fails with it.
    Body,
}

words!(Carrier {
    Socket = "socket",
    Events = "events",
    Lines = "lines",
    Body = "body",
});

/// A connection, as kept in the socket's attachment: 16 KiB at most.
pub trait Attached: std::fmt::Debug + Serialize + DeserializeOwned {
    /// A random id, drawn on acceptance.
    fn id(&self) -> &ConnectionId;

    /// Its use.
    fn carrier(&self) -> Carrier;
}
