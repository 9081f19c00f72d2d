//! What the Worker asks of a session's object, and the way there.
//!
//! A call travels as JSON in one header of a request that the Worker makes itself, so nothing
//! that a client sends can pass for one.

use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::session::Carrier;
use crate::token::Grant;
use serde::{Deserialize, Serialize};

/// The header that carries a [`Call`].
pub(crate) const CALL_HEADER: &str = "sessile-call";
/// The header of an answer by an object that is about to reset itself and did nothing.
pub(crate) const STALE_HEADER: &str = "sessile-stale";

/// What is asked, and by whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    /// Who asks, as the token says.
    pub(crate) grant: Grant,
    /// What for.
    pub(crate) action: Action,
}

/// What may be asked of an object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Action {
    /// A connection; the request is an upgrade.
    Open(Opening),
    /// `POST …/frames`; the body is a frame or an array.
    Frames,
    /// `POST …/messages`; the body is a message or an array.
    Publish,
    /// `PATCH …/messages/{serial}`; the body has the fields of an `update`.
    Update(String),
    /// `DELETE …/messages/{serial}`; the body may say `ifVersion`.
    Delete(String, Option<String>),
    /// `GET …/messages`.
    History {
        /// Older than this serial.
        before: Option<String>,
        /// Newer than this serial.
        after: Option<String>,
        /// How many.
        limit: usize,
    },
    /// `GET …/messages?to=`.
    Conversation {
        /// The message that it leads to.
        to: String,
        /// Where the page before ended.
        before: Option<String>,
        /// How many.
        limit: usize,
    },
    /// `GET …/messages/{serial}`, or the end of a streamed body, which needs no data.
    Message(String, bool),
    /// `GET …/turns`.
    Turns {
        /// Whether final ones are meant as well.
        all: bool,
        /// Older than this serial.
        before: Option<String>,
        /// How many.
        limit: usize,
    },
    /// `GET …/turns/{id}`.
    Turn(String),
    /// `POST …/turns`; the body has the fields of a `turn.start`.
    StartTurn,
    /// `POST …/turns/{id}/end`; the body has the fields of a `turn.end`.
    EndTurn(String),
    /// `POST …/turns/{id}/cancel`; the body may have the fields of a `cancel`.
    CancelTurn(String),
    /// `GET …/presence`.
    Presence,
    /// `GET …`: how many messages.
    Snapshot(usize),
    /// `PATCH …`; the body says `settings`.
    Settings,
    /// `DELETE …`.
    Erase,
    /// `GET …/diagnostics`.
    Diagnostics,
}

/// How a connection is to be served.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Opening {
    /// What it is for.
    pub(crate) carrier: Carrier,
    /// Whether the client offered `sessile.v1` (P2.4).
    pub(crate) has_protocol: bool,
    /// The position to resume after.
    pub(crate) since: Option<String>,
    /// How many messages to go back otherwise.
    pub(crate) rewind: usize,
    /// The rollup window.
    pub(crate) window_ms: u64,
    /// Only messages of these names.
    pub(crate) names: Option<Vec<String>>,
}

impl Opening {
    /// A connection that writes and reads nothing but its answers.
    pub(crate) fn writer(carrier: Carrier) -> Self {
        let (since, names) = (None, None);
        Self {
            carrier,
            has_protocol: false,
            since,
            rewind: 0,
            window_ms: 0,
            names,
        }
    }
}

/// The refusal when an object fails.
pub(crate) fn failed(reason: &str) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::Internal,
        format!("unable to reach the session; {reason}"),
    )
}
