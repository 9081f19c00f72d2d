//! A connection to an inbox, as it is kept and as it is in memory.

use serde::{Deserialize, Serialize};

use crate::machine::{Bucket, Carrier};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::Limits;

/// A connection, as it is kept in the socket's attachment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// Drawn at random when it was accepted.
    pub id: ConnectionId,
    /// What it is for.
    pub carrier: Carrier,
    /// Who is behind it: the token's `sub`.
    pub client: String,
    /// When its token expires (P2.6).
    pub expires_at: Timestamp,
    /// The epoch that it was told, so that the inbox keeps it over a sleep.
    pub told: String,
}

/// Where a connection begins to read.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The position to resume after. All of an inbox comes, as long as nothing is in it.
    pub since: Option<String>,
}

/// A connection in memory.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) connection: Connection,
    /// How fast it sends (P14).
    pub(super) messages: Bucket,
}

impl Live {
    pub(super) fn new(connection: Connection, limits: &Limits) -> Self {
        let messages = Bucket::new(limits.messages_per_second, limits.messages_burst);
        Self {
            connection,
            messages,
        }
    }
}
