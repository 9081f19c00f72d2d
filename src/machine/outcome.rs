//! The end of one call to another system.

/// The outcome of an attempt, as far as the platform knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The target answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// Milliseconds to wait, from the answer's `Retry-After`.
        retry_after_ms: Option<u64>,
    },
    /// No answer, or none in time.
    Failed {
        /// The reason, for people.
        reason: String,
    },
    /// Not attempted, and never to be.
    Refused {
        /// The reason, for people.
        reason: String,
    },
}
