//! A session as a file or as another session: its export, in pages (P11.6).

use std::borrow::Cow;
use std::fmt;

use super::error::{ErrorCode, ErrorInfo};
use super::object::Object;
use super::query::{Pairs, find};
use super::serial::{Epoch, Place, Serial};

/// The version of exports, in their first line.
pub const EXPORT_VERSION: u64 = 1;

/// A place in an export. The Worker carries it from one page to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The life of the session that is exported.
    pub epoch: Epoch,
    /// The end of its log when the export began.
    pub end: Place,
    /// Lines so far.
    pub count: u64,
    /// 0 for messages, then the sections of the store.
    pub section: u64,
    /// The last key of that section.
    pub key: u64,
}

impl Cursor {
    /// Reads a cursor; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let parts = Object::read(text)?;
        Some(Self {
            epoch: Epoch::parse(&parts.word("epoch")?)?,
            end: parts.field("end").ok()?,
            count: parts.field("count").ok()?,
            section: parts.field("section").ok()?,
            key: parts.field("key").ok()?,
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            epoch,
            end,
            count,
            section,
            key,
        } = self;
        let epoch = epoch.as_str();
        write!(
            formatter,
            "{{\"epoch\":\"{epoch}\",\"end\":{end},\"count\":{count},\
             \"section\":{section},\"key\":{key}}}"
        )
    }
}

/// A page of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where it begins; `None` for the first.
    pub after: Option<Cursor>,
    /// Whether it is for a fork.
    pub is_fork: bool,
    /// The end of a fork, if that is not the end of the log.
    pub at: Option<Serial>,
}

impl Page {
    /// Reads the query of a page.
    ///
    /// # Errors
    /// `invalid-frame`, if it names a place that is none.
    pub(super) fn read(pairs: &Pairs, is_fork: bool) -> Result<Self, ErrorInfo> {
        let (after, at) = (find(pairs, "after"), find(pairs, "at"));
        let page = Self {
            after: after.and_then(Cursor::parse),
            is_fork,
            at: at.and_then(Serial::parse),
        };
        if page.after.is_some() == after.is_some() && page.at.is_some() == at.is_some() {
            return Ok(page);
        }
        let message = "unable to read the session; after or at is no place in it";
        Err(ErrorInfo::new(ErrorCode::InvalidFrame, message))
    }
}

/// Lines of an import or of a fork, some of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The import that they go on with, as it was named to the Worker; `None` for its first lines.
    pub after: Option<String>,
    /// The session that a fork comes from.
    pub from: Option<String>,
    /// Where a fork is to end, if its client said so.
    pub at: Option<String>,
    /// The lines, each whole; of a fork, after a line with the cursor of the next ones.
    pub lines: String,
}

/// The session that a fork comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its id.
    pub session: String,
    /// The place in its log up to which the fork has it.
    pub serial: Serial,
}

impl Origin {
    /// Reads it from the settings of a fork.
    pub fn read(value: &serde_json::Value) -> Option<Self> {
        let text = |name| value.get(name).and_then(serde_json::Value::as_str);
        Some(Self {
            session: text("session")?.to_owned(),
            serial: Serial::parse(text("serial")?)?,
        })
    }

    /// The same as JSON.
    pub fn as_json(&self) -> String {
        let Self { session, serial } = self;
        // An id and a serial need no escapes.
        format!(r#"{{"session":"{session}","serial":"{serial}"}}"#)
    }
}

/// The body of `POST …/fork` of a session: the new session, and the place where it begins to be
/// another one.
///
/// # Errors
/// `invalid-frame`, if it names no other session, or no serial.
pub fn fork_of(body: &str, session: &str) -> Result<(String, Option<String>), ErrorInfo> {
    let refused = |reason| {
        let message = format!("unable to fork; {reason}");
        ErrorInfo::new(ErrorCode::InvalidFrame, message)
    };
    let body = Object::read(body).ok_or_else(|| refused("the body is no object"))?;
    let to = body.word("to").filter(|to| to != session);
    let to = to.ok_or_else(|| refused("to does not name another session"))?;
    let at = body.raw("at").map(|_| body.word("at").unwrap_or_default());
    Ok((to.into_owned(), at.map(Cow::into_owned)))
}
