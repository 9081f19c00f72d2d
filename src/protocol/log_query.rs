//! The query of the log as a record (P11.4).

use super::error::ErrorInfo;
use super::limits::{LOG_ENTRIES, PAGE_MESSAGES};
use super::query::{Parts, Query, find, number, position};

/// A page of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Newer than this serial.
    pub after: Option<String>,
    /// Entries, at most.
    pub limit: usize,
}

impl Query for Log {
    const NAMES: &'static [&'static str] = &["after", "limit"];

    fn read(parts: &Parts<'_>) -> Result<Self, ErrorInfo> {
        const VERB: &str = "read the log";
        let after = find(parts.pairs, "after").filter(|serial| !serial.is_empty());
        Ok(Self {
            after: after.map(position),
            limit: number(parts.pairs, VERB, "limit", 1, LOG_ENTRIES, PAGE_MESSAGES)?,
        })
    }
}
