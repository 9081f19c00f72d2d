//! The Worker's calls to an object.
//!
//! A call travels as JSON in one header of a request that the Worker makes itself, so no client's
//! input can pass for a call. A body is passed through unchanged.

use serde::{Deserialize, Serialize};

use crate::machine::Carrier;
use crate::protocol::error::{ErrorCode, ErrorInfo};

/// The header that carries a [`Call`].
pub(crate) const CALL_HEADER: &str = "sessile-call";
/// The header of an answer by an object that is about to reset itself and did nothing.
pub(crate) const STALE_HEADER: &str = "sessile-stale";

/// One call: the operation and its client; `G` is a machine's grant, `A` the query of its attach.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Call<G, A> {
    /// The token's grant.
    pub(crate) grant: G,
    /// The operation.
    pub(crate) ask: Ask<A>,
}

/// The operations of an object.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask<A> {
    /// A connection; the request is an upgrade.
    Open(Opening<A>),
    /// One request, one response.
    Answer(Question),
}

/// How a connection will be served.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Opening<A> {
    /// Its use.
    pub(crate) carrier: Carrier,
    /// Whether the client offered `sessile.v1` (P2.4).
    pub(crate) has_protocol: bool,
    /// The query.
    pub(crate) attach: A,
}

/// A line of the table of routes, with the values in the address and the query.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Question {
    /// The line's method.
    pub(crate) method: String,
    /// The line's path, with the names of its parameters.
    pub(crate) path: String,
    /// The values of the address's parameters, decoded.
    pub(crate) params: Vec<String>,
    /// The query, decoded and without a token.
    pub(crate) pairs: Vec<(String, String)>,
}

/// The refusal when an object fails; `thing` names the object.
pub(crate) fn failed(thing: &str, reason: &str) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::Internal,
        format!("unable to reach the {thing}; {reason}"),
    )
}
