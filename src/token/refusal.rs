//! Refusals of tokens (P2.5).

use crate::protocol::error::{ErrorCode, ErrorInfo};

/// The refusal of a token (P2.5).
pub fn unauthorized(wrong: &str) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::Unauthorized,
        format!("unable to authorize; {wrong}"),
    )
}

/// The refusal of a token with a part that cannot be read.
pub(super) fn refused(error: ErrorInfo) -> ErrorInfo {
    ErrorInfo::new(ErrorCode::Unauthorized, error.message)
}
