//! The query of the log as a record (P11.4).

use super::error::ErrorInfo;
use super::limits::{LOG_ENTRIES, PAGE_MESSAGES};
use super::query::{Parts, Query, number, serial};

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
        Ok(Self {
            after: serial(parts.pairs, "after"),
            limit: number(parts.pairs, VERB, "limit", 1, LOG_ENTRIES, PAGE_MESSAGES)?,
        })
    }
}
