//! Why an input did not do what it asked for.

use crate::protocol::error::ErrorInfo;
use crate::store::StoreError;

/// Why an input did not do what it asked for.
#[derive(Debug)]
pub(crate) enum Error {
    /// The client's mistake, or a race that it lost: a nack, and nothing has changed.
    Refused(ErrorInfo),
    /// The storage failed: the session is dropped.
    Store(StoreError),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ErrorInfo> for Error {
    fn from(error: ErrorInfo) -> Self {
        Self::Refused(error)
    }
}
