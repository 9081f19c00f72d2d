//! The one decision that a token is good for (P10.2).

use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::object::read_fields;

/// The one decision that a token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneDecision {
    /// The session.
    pub session: String,
    /// The approval there.
    pub approval: String,
}

read_fields!(OneDecision { session, approval });

impl OneDecision {
    /// The refusal of everything else.
    pub(super) fn forbidden(&self) -> ErrorInfo {
        let Self { session, approval } = self;
        let message = format!(
            "unable to authorize; the token is good for one thing, to decide the approval \
             {approval} of session {session}"
        );
        ErrorInfo::new(ErrorCode::Forbidden, message)
    }
}
