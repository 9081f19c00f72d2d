//! Errors as clients see them (P13.2): one table of codes, mirrored by the SDK.

use serde::Serialize;

use super::amount::Amount;
use super::data::Data;
use super::schema::Breach;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal;)*) => {
        /// The reason for a refusal.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        pub enum ErrorCode { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl ErrorCode {
            /// Every code, for tests and for the SDK's fixture.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Its HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }
        }
    };
}

codes! {
    /// The frame, query or body is malformed.
    InvalidFrame = "invalid-frame", 400;
    /// No frame has this type.
    UnknownFrame = "unknown-frame", 400;
    /// The session id is malformed (P1.1).
    InvalidSession = "invalid-session", 400;
    /// Larger than a limit of P14.
    TooLarge = "too-large", 413;
    /// The token is missing or not valid.
    Unauthorized = "unauthorized", 401;
    /// The token lacks an operation.
    Forbidden = "forbidden", 403;
    /// The target does not exist.
    NotFound = "not-found", 404;
    /// The address does not take this method.
    MethodNotAllowed = "method-not-allowed", 405;
    /// Another client or change was first.
    Conflict = "conflict", 409;
    /// The message takes no more appends.
    Closed = "closed", 409;
    /// The message was deleted.
    Deleted = "deleted", 410;
    /// The session is being deleted.
    Gone = "gone", 410;
    /// An append arrived before its predecessors (P5.3).
    Gap = "gap", 409;
    /// The turn is final (P6.1).
    TurnClosed = "turn-closed", 409;
    /// Another process or attempt leads the turn (P6.8).
    NotLeader = "not-leader", 409;
    /// The approval is settled (P8.2).
    AlreadyDecided = "already-decided", 409;
    /// The answer is none of those that the question takes (P8.2).
    InvalidAnswer = "invalid-answer", 400;
    /// Another device holds the call (P8.9).
    Claimed = "claimed", 409;
    /// The call is settled (P8.9).
    AlreadySettled = "already-settled", 409;
    /// The shared state would break its schema (P9.4).
    InvalidState = "invalid-state", 400;
    /// A person leads the session (P8.8).
    LedByPerson = "led-by-person", 409;
    /// A turn is active, and the session takes one input at a time (P10.3).
    Busy = "busy", 409;
    /// An earlier frame of its chain was refused (P13.8).
    Skipped = "skipped", 409;
    /// The session's budget is spent (P6.12).
    OverBudget = "over-budget", 402;
    /// Sent faster than P14 allows.
    RateLimited = "rate-limited", 429;
    /// More at once than P14 allows.
    OverLimit = "over-limit", 429;
    /// The deployment lacks configuration, such as a key.
    NotConfigured = "not-configured", 503;
    /// The session failed; the request may have taken effect.
    Internal = "internal", 500;
}

/// A refusal on the wire.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorInfo {
    /// The reason.
    pub code: ErrorCode,
    /// The HTTP status of the code.
    pub status: u16,
    /// A sentence: "unable to append; message … is closed".
    pub message: String,
    /// The fields that only this code has.
    #[serde(flatten)]
    pub details: Option<Details>,
}

/// The fields of an error beyond its code and its sentence.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum Details {
    /// Of `gap` (P5.3).
    Gap {
        /// The `seq` that the message expects next.
        expected_seq: u64,
        /// The length of the message's text, in UTF-16 code units.
        length: u64,
    },
    /// Of `rate-limited`.
    Wait {
        /// Milliseconds to wait before another attempt.
        retry_after_ms: u64,
    },
    /// Of `already-decided` (P8.2).
    Decided {
        /// The approval as it stands.
        approval: Data,
    },
    /// Of `invalid-answer`, where the data breaks the approval's schema (P8.2), and of
    /// `invalid-state` (P9.4).
    Breaches {
        /// Each place, 10 at most.
        breaches: Vec<Breach>,
    },
    /// Of `claimed` (P8.9).
    Claimed {
        /// The client that holds the call.
        client: String,
        /// Its connection; absent for a claim by HTTP.
        #[serde(skip_serializing_if = "Option::is_none")]
        connection: Option<String>,
    },
    /// Of `already-settled` (P8.9).
    Settled {
        /// The call as it stands.
        call: Data,
    },
    /// Of `led-by-person` (P8.8).
    Led {
        /// The client of the person.
        client: String,
    },
    /// Of `over-budget` (P6.12).
    Budget {
        /// The name of the sum.
        name: String,
        /// Its limit.
        limit: Amount,
        /// The sum.
        used: Amount,
    },
}

impl ErrorInfo {
    /// A refusal with only a code and a sentence.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            status: code.status(),
            message: message.into(),
            details: None,
        }
    }

    /// The body of an HTTP response with this refusal (P13.2).
    pub fn body(&self) -> String {
        #[derive(Serialize)]
        struct Body<'a> {
            error: &'a ErrorInfo,
        }
        serde_json::to_string(&Body { error: self }).unwrap_or_default()
    }

    /// A `rate-limited` error that says how long to wait, in milliseconds.
    pub fn rate_limited(message: impl Into<String>, retry_after_ms: u64) -> Self {
        Self {
            details: Some(Details::Wait { retry_after_ms }),
            ..Self::new(ErrorCode::RateLimited, message)
        }
    }
}

/// Close codes of a WebSocket (P13.3).
pub mod close {
    /// The client breaks the protocol.
    pub const PROTOCOL_ERROR: u16 = 4400;
    /// The token expired or is not valid.
    pub const UNAUTHORIZED: u16 = 4401;
    /// The token lacks an operation.
    pub const FORBIDDEN: u16 = 4403;
    /// The session was deleted.
    pub const GONE: u16 = 4410;
    /// A message is too large to read.
    pub const TOO_LARGE: u16 = 4413;
    /// The client sends too fast or reads too slowly.
    pub const TOO_FAST: u16 = 4429;
}
