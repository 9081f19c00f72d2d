//! What a refusal says (P13.2). One table of codes; the SDK mirrors it.

use serde::Serialize;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal;)*) => {
        /// Why something was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        pub enum ErrorCode { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl ErrorCode {
            /// Every code, for tests and for the SDK's fixture.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as it goes over the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }
        }
    };
}

codes! {
    /// The frame, query or body is not of the form that the protocol asks for.
    InvalidFrame = "invalid-frame", 400;
    /// No frame has this type.
    UnknownFrame = "unknown-frame", 400;
    /// The address names no possible session (P1.1).
    InvalidSession = "invalid-session", 400;
    /// Larger than a limit of P14 allows.
    TooLarge = "too-large", 413;
    /// No token, or one that does not hold.
    Unauthorized = "unauthorized", 401;
    /// The token lacks an operation.
    Forbidden = "forbidden", 403;
    /// What the frame names does not exist.
    NotFound = "not-found", 404;
    /// The address is there, but not for this method.
    MethodNotAllowed = "method-not-allowed", 405;
    /// Somebody else was there first.
    Conflict = "conflict", 409;
    /// The message takes no more appends.
    Closed = "closed", 409;
    /// The message was deleted.
    Deleted = "deleted", 410;
    /// The session is being deleted.
    Gone = "gone", 410;
    /// An append came before those that it follows.
    Gap = "gap", 409;
    /// The turn is final and takes nothing any more (P6).
    TurnClosed = "turn-closed", 409;
    /// Somebody else leads the turn, or another attempt at it (P6.8).
    NotLeader = "not-leader", 409;
    /// A turn is active, and the session takes one input at a time (P10.3).
    Busy = "busy", 409;
    /// A frame before it in its chain was refused (P13.8).
    Skipped = "skipped", 409;
    /// Sent faster than P14 allows.
    RateLimited = "rate-limited", 429;
    /// More at once than P14 allows.
    OverLimit = "over-limit", 429;
    /// The deployment lacks something it needs, such as a key.
    NotConfigured = "not-configured", 503;
    /// The session failed; nothing of the request is known to have happened.
    Internal = "internal", 500;
}

/// A refusal as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorInfo {
    /// Why.
    pub code: ErrorCode,
    /// The HTTP status that goes with the code.
    pub status: u16,
    /// "unable to append; message … is closed".
    pub message: String,
    /// For `gap`: the `seq` that the message expects next (P5.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_seq: Option<u64>,
    /// For `gap`: how much the message holds, in UTF-16 code units (P5.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// For `rate-limited`: when to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl ErrorInfo {
    /// A refusal with nothing but its code and its sentence.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            status: code.status(),
            message: message.into(),
            expected_seq: None,
            length: None,
            retry_after_ms: None,
        }
    }
}

/// Close codes of a WebSocket (P13.3).
pub mod close {
    /// The peer does not speak the protocol.
    pub const PROTOCOL_ERROR: u16 = 4400;
    /// The token expired, or does not hold.
    pub const UNAUTHORIZED: u16 = 4401;
    /// The token lacks an operation.
    pub const FORBIDDEN: u16 = 4403;
    /// The session was deleted.
    pub const GONE: u16 = 4410;
    /// A message too large to be read.
    pub const TOO_LARGE: u16 = 4413;
    /// Too fast a sender, or too slow a reader.
    pub const TOO_FAST: u16 = 4429;
}
