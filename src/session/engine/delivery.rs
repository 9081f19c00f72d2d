//! A call to another system, and its outcome.

use crate::machine::Outcome;
use crate::store::DeliveryKind;

/// A delivery that the platform is to attempt, once; an [`Input::Delivered`] follows.
///
/// [`Input::Delivered`]: crate::session::Input::Delivered
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its number.
    pub number: u64,
    /// The receiver's id for it, the same at each attempt.
    pub id: String,
    /// How it goes out.
    pub kind: DeliveryKind,
    /// Its address.
    pub target: String,
    /// The exact text to send.
    pub body: String,
    /// Whether it is sent with a token for the session (P10.3).
    pub wants_token: bool,
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The delivery's number.
    pub number: u64,
    /// How it ended.
    pub outcome: Outcome,
}
