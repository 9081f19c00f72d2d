//! A connection to an inbox, as kept and in memory.

use serde::Serialize;

use super::grant::Sight;
use crate::machine::{Bucket, Carrier};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::Limits;
use crate::protocol::object::read_fields;

/// A connection, as kept in the socket's attachment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Connection {
    /// A random id, drawn on acceptance.
    pub id: ConnectionId,
    /// Its use.
    pub carrier: Carrier,
    /// The client: the token's `sub`.
    pub client: String,
    /// When its token expires (P2.6).
    pub expires_at: Timestamp,
    /// When its token was issued; 0 where that does not say (P11.5).
    pub issued_at: Timestamp,
    /// The sessions that its token may see.
    pub sight: Sight,
}

read_fields!(Connection {
    id,
    carrier,
    client,
    expires_at,
    issued_at: or_default,
    sight,
});

/// The position from which a connection reads.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The position to resume after: a serial, or several with commas between.
    pub since: Option<String>,
}

/// A connection in memory.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) connection: Connection,
    /// Its rates (P14).
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
