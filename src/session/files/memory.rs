//! The memory of files.

use crate::ordered::Map;
use crate::protocol::ids::Timestamp;

/// Files in memory: those that arrive, and sums once they are needed.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// The files that arrive, and when each began.
    pub(super) arriving: Map<String, Timestamp>,
    /// When the oldest file was uploaded, where retention asks for it.
    pub(super) oldest: Option<Timestamp>,
    /// The number and the bytes of all files, those that arrive included.
    pub(super) sums: Option<(u64, u64)>,
}
