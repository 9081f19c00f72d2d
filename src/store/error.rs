//! Errors of the storage.

const NEWER: &str = "is newer than";

/// The storage failed. The session is dropped and loaded again; nothing is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError(pub String);

impl StoreError {
    /// A row with content that this code never writes.
    pub(super) fn unreadable(what: &str) -> Self {
        Self(format!("its {what} does not read back"))
    }

    /// Rows of a later version of the schema, which this release does not touch.
    pub(super) fn newer(found: usize, version: usize) -> Self {
        Self(format!("its schema {found} {NEWER} {version}"))
    }

    /// Whether a later release has stored the rows.
    pub fn is_newer(&self) -> bool {
        self.0.contains(NEWER)
    }

    /// Whether a write failed for want of space, and changed nothing.
    pub fn is_full(&self) -> bool {
        let words = ["SQLITE_FULL", "database or disk is full"];
        words.iter().any(|words| self.0.contains(words))
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "unable to reach the storage; {}", self.0)
    }
}
