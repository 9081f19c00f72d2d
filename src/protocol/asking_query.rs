//! The query of a list of approvals or of calls (P8.3, P8.9).

use super::error::ErrorInfo;
use super::limits::{PAGE_MESSAGES, REPLAY_MESSAGES};
use super::query::{Parts, Query, find, number, refused, serial};

/// The query of such a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Askings {
    /// Whether to include settled ones.
    pub all: bool,
    /// Older than this serial.
    pub before: Option<String>,
    /// Items, at most.
    pub limit: usize,
}

impl Query for Askings {
    const NAMES: &'static [&'static str] = &["status", "before", "limit"];

    fn read(parts: &Parts<'_>) -> Result<Self, ErrorInfo> {
        const VERB: &str = "read the list";
        let all = match find(parts.pairs, "status") {
            None | Some("pending") => false,
            Some("all") => true,
            Some(_) => return Err(refused(VERB, "status is pending or all")),
        };
        let limit = number(
            parts.pairs,
            VERB,
            "limit",
            1,
            REPLAY_MESSAGES,
            PAGE_MESSAGES,
        )?;
        Ok(Self {
            all,
            before: serial(parts.pairs, "before"),
            limit,
        })
    }
}
