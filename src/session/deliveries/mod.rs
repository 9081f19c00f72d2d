//! The one way out (P10.4): a delivery is a row in the commit of its cause; the platform tries
//! it, and how that went is an input like any other.

mod backoff;
mod queue;
#[cfg(test)]
mod tests;

use crate::store::DeliveryKind;

/// A delivery that the platform is to try, once. The outcome is [`super::Input::Delivered`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its number.
    pub number: u64,
    /// What a receiver knows it by, also when it comes again.
    pub id: String,
    /// How it goes out.
    pub kind: DeliveryKind,
    /// Where to.
    pub target: String,
    /// The exact text of it.
    pub body: String,
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Of which delivery.
    pub number: u64,
    /// How it went.
    pub outcome: Outcome,
}

/// How an attempt went, as far as the platform can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The target answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// How long it asks to be left alone, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// Nobody answered, or not in time.
    Failed {
        /// Why, for people.
        reason: String,
    },
    /// It was not tried, and never may be.
    Refused {
        /// Why, for people.
        reason: String,
    },
}
