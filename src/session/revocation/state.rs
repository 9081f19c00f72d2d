//! Clients that came to the session, and tokens that were revoked just now.

use crate::ordered::Map;
use crate::protocol::ids::Timestamp;
use crate::protocol::revocation::Revocation;

/// Numbers of these calls are from here on: nothing else that goes out has one.
pub(crate) const NUMBERS: u64 = 1 << 63;

/// Contacts and revocations in memory.
#[derive(Debug, Default)]
pub(crate) struct Revoked {
    /// The clients that came here.
    pub(crate) clients: Map<String, Contact>,
    /// Whether one of them is to be told, or the row does not say what is known here.
    pub(crate) is_stirred: bool,
    /// Whether the row does not.
    pub(crate) is_unsaved: bool,
    /// Whether some are told once more since the session woke.
    pub(crate) is_again: bool,
    /// The time before which none is told again.
    pub(crate) retry_at: Timestamp,
    /// Failed tellings in a row.
    pub(crate) failures: u64,
    /// The number of the last telling, without [`NUMBERS`].
    pub(crate) last: u64,
    /// Revocations, and when each came: a token that was admitted before may come later.
    pub(crate) recent: Vec<(Timestamp, Revocation)>,
}

/// The inbox of a client that came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Contact {
    /// It is to be told.
    #[default]
    Owed,
    /// It is being told.
    UnderWay {
        /// The number of the call.
        number: u64,
        /// When that counts as lost.
        until: Timestamp,
    },
    /// It knows.
    Told,
}
