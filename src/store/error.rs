//! Errors of the storage.

const NEWER: &str = "is newer than";
const UNREADABLE: &str = "does not read back";

/// The storage failed. The session is dropped and loaded again; nothing is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError(pub String);

impl StoreError {
    /// A row with content that this code never writes.
    pub(super) fn unreadable(what: &str) -> Self {
        Self(format!("its {what} {UNREADABLE}"))
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
        self.says(&["SQLITE_FULL", "database or disk is full"])
    }

    /// Whether a write failed because of its own content, and changed nothing: it repeats a row,
    /// is too big for one, or builds on one that is not there. It would fail again.
    pub(crate) fn is_of_content(&self) -> bool {
        self.says(&["constraint failed", "too big", UNREADABLE])
    }

    fn says(&self, words: &[&str]) -> bool {
        words.iter().any(|words| self.0.contains(words))
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "unable to reach the storage; {}", self.0)
    }
}
