//! The reasons why an input had no effect.

use crate::protocol::error::ErrorInfo;
use crate::store::StoreError;

/// The reason why an input had no effect.
#[derive(Debug)]
pub(crate) enum Error {
    /// The client's mistake, or a lost race: a nack, and nothing has changed.
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
