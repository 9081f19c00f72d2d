//! Read marks: how far each client has read (P9.5).

use serde::Serialize;

use super::error::ErrorInfo;
use super::fields::{Fields, FromFields};
use super::limits::Limits;
use super::serial::Serial;

/// `read` (P9.5).
#[derive(Debug)]
pub struct ReadUpTo {
    /// The last entry that was read.
    pub serial: Serial,
}

/// How far a client has read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// The client.
    pub client: String,
    /// The last entry that it has read.
    pub serial: Serial,
}

impl FromFields for ReadUpTo {
    fn read(fields: &Fields<'_>, _: &Limits) -> Result<Self, ErrorInfo> {
        Ok(Self {
            serial: fields.need("serial")?,
        })
    }
}
