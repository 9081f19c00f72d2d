//! The one thing that a token is good for: a decision (P10.2), or a file (P11.7).

use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::object::read_fields;

/// The one thing that a token is good for: it names an approval or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneThing {
    /// The session.
    pub session: String,
    /// The approval there that it decides.
    pub approval: Option<String>,
    /// The file there that it reads.
    pub file: Option<String>,
}

read_fields!(OneThing {
    session,
    approval,
    file,
});

impl OneThing {
    /// The refusal of everything else.
    pub(super) fn forbidden(&self) -> ErrorInfo {
        let (verb, id) = match (&self.approval, &self.file) {
            (Some(approval), _) => ("decide the approval", approval.as_str()),
            (None, file) => ("read the file", file.as_deref().unwrap_or_default()),
        };
        let message = format!(
            "unable to authorize; the token is good for one thing, to {verb} {id} of session {}",
            self.session
        );
        ErrorInfo::new(ErrorCode::Forbidden, message)
    }
}
