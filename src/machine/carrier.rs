//! What a connection is for, and what the program that runs a machine must know of it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::protocol::ids::ConnectionId;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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

/// A connection, as it is kept in the socket's attachment: 16 KiB at most.
pub trait Attached: std::fmt::Debug + Serialize + DeserializeOwned {
    /// Drawn at random when it was accepted.
    fn id(&self) -> &ConnectionId;

    /// What it is for.
    fn carrier(&self) -> Carrier;
}
