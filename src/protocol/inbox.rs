//! The words of the inbox (P15).

use serde::Serialize;
use serde_json::value::RawValue;

use super::capability::Role;
use super::decode::parse;
use super::device::DeviceRequest;
use super::error::{ErrorCode, ErrorInfo};
use super::frame::encode;
use super::ids::{ConnectionId, Timestamp};
use super::limits::{Limits, PAGE_MESSAGES, REPLAY_MESSAGES};
use super::news::{ItemKind, News};
use super::notice::Said;
use super::object::read_fields;
use super::query::{self, Pairs, Parts};
use super::revocation::Revocation;
use super::serial::Serial;

/// The parameters that say whose inbox is meant.
pub(super) const OWNER: &[&str] = &["role"];
/// The same of a connection.
pub(super) const ATTACH: &[&str] = &["role", "since"];
/// The same of a page of sessions.
pub(super) const SESSIONS: &[&str] = &["role", "limit", "cursor"];
/// The same of a page of approvals.
pub(super) const APPROVALS: &[&str] = &["role", "status", "limit", "cursor"];

/// The HTTP requests of an inbox.
#[derive(Debug)]
pub enum Request {
    /// `GET /v1/inbox` (P15.1).
    Read,
    /// A page of one of its lists (P11.3, P15.1).
    Page(Page),
    /// A session tells it something. No client's request is this one.
    Told(Box<News>),
    /// About the client's devices (P10.1).
    Device(DeviceRequest),
    /// A session passes on the words of an agent (P10.2). No client's request is this one.
    Said(Box<Said>),
    /// `POST /v1/revocations` (P11.5), of the object that keeps them.
    Revoke(Revocation),
    /// `GET /v1/revocations`, after a time.
    Revocations(Timestamp),
    /// Tokens are revoked. No client's request is this one.
    Revoked(Revocation),
    /// A session tells that the client came to it. No client's request is this one.
    Contact(Revocation),
    /// `DELETE /v1/clients/{client}`, or the question how far that has come (P11.10).
    Erase {
        /// Whether an erasure begins.
        begins: bool,
    },
    /// An invalid one.
    Refused(ErrorInfo),
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The list.
    pub kind: ItemKind,
    /// Whether it has those that are settled, too.
    pub all: bool,
    /// The end of the page before.
    pub cursor: Option<Cursor>,
    /// Items, at most.
    pub limit: usize,
}

/// The place of an item in its list: the newest first, then by session and id; of work the other
/// way round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The item's time.
    pub at: Timestamp,
    /// Its session.
    pub session: String,
    /// Its id; empty for a session.
    pub id: String,
}

impl Cursor {
    /// Reads a cursor; `None` if the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (at, rest) = text.split_once('/')?;
        let (session, id) = rest.split_once('/')?;
        Some(Self {
            at: at.parse().ok()?,
            session: session.to_owned(),
            id: id.to_owned(),
        })
    }

    /// The cursor as text.
    pub fn text(&self) -> String {
        format!("{}/{}/{}", self.at, self.session, self.id)
    }

    /// Compares two places in a list.
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        let at = other.at.cmp(&self.at);
        let rest = (&self.session, &self.id).cmp(&(&other.session, &other.id));
        at.then(rest)
    }
}

impl Page {
    /// Reads the query of a page.
    ///
    /// # Errors
    /// `invalid-frame`, naming the parameter.
    pub fn read(kind: ItemKind, pairs: &Pairs) -> Result<Self, ErrorInfo> {
        const VERB: &str = "read the inbox";
        let all = match query::find(pairs, "status") {
            None | Some("" | "pending") => false,
            Some("all") => true,
            Some(_) => return Err(query::refused(VERB, "status is pending or all")),
        };
        let cursor = query::find(pairs, "cursor").filter(|text| !text.is_empty());
        let cursor = match cursor.map(Cursor::parse) {
            Some(None) => return Err(query::refused(VERB, "cursor is that of no page")),
            cursor => cursor.flatten(),
        };
        let limit = query::number(pairs, VERB, "limit", 1, REPLAY_MESSAGES, PAGE_MESSAGES)?;
        Ok(Self {
            kind,
            all,
            cursor,
            limit,
        })
    }
}

/// Reads what a session tells.
///
/// # Errors
/// `invalid-frame`, if it is no news.
pub fn told(parts: &Parts<'_>) -> Result<Request, ErrorInfo> {
    let news = serde_json::from_str(parts.body);
    news.map(Request::Told).map_err(|error| {
        let message = format!("unable to take the news; {error}");
        ErrorInfo::new(ErrorCode::InvalidFrame, message)
    })
}

/// Reads the words of an agent that a session passes on.
///
/// # Errors
/// `invalid-frame`, if they are none.
pub fn said(parts: &Parts<'_>) -> Result<Request, ErrorInfo> {
    let said = serde_json::from_str(parts.body);
    said.map(Request::Said).map_err(|error| {
        let message = format!("unable to take the notice; {error}");
        ErrorInfo::new(ErrorCode::InvalidFrame, message)
    })
}

/// Reads the body of `POST /v1/revocations`.
pub(super) fn revoke(parts: &Parts<'_>) -> Result<Request, ErrorInfo> {
    parse("revoke", parts.body).map(Request::Revoke)
}

/// Reads the query of `GET /v1/revocations`.
pub(super) fn revocations(parts: &Parts<'_>) -> Result<Request, ErrorInfo> {
    let after = query::find(parts.pairs, "after").filter(|after| !after.is_empty());
    let after = after.map_or(Ok(0), str::parse);
    let wrong = |_| query::refused("read the revocations", "after is no time");
    after.map(Request::Revocations).map_err(wrong)
}

/// Reads a revocation that an inbox is told.
pub(super) fn revoked(parts: &Parts<'_>) -> Result<Request, ErrorInfo> {
    parse("revoke", parts.body).map(Request::Revoked)
}

/// Reads a contact that a session tells.
pub(super) fn contact(parts: &Parts<'_>) -> Result<Request, ErrorInfo> {
    parse("take the contact", parts.body).map(Request::Contact)
}

/// How a connection wants to be served (P15.2).
#[derive(Clone, Debug, Default, Serialize)]
pub struct Attach {
    /// The position to resume after.
    pub since: Option<String>,
}

read_fields!(Attach { since });

/// Reads the query of `connect`.
pub fn attach(pairs: &Pairs) -> Attach {
    Attach {
        since: query::serial(pairs, "since"),
    }
}

/// The role whose inbox is meant; the client's own where there is none (P15.1).
///
/// # Errors
/// `invalid-frame`, naming the roles there are.
pub fn role(pairs: &Pairs) -> Result<Option<Role>, ErrorInfo> {
    let Some(word) = query::find(pairs, "role") else {
        return Ok(None);
    };
    let refused = || {
        let shown: String = word.chars().take(40).collect();
        let message =
            format!("unable to read the inbox; role is user, agent or supervisor, not {shown:?}");
        ErrorInfo::new(ErrorCode::InvalidFrame, message)
    };
    Role::parse(word).map(Some).ok_or_else(refused)
}

/// Where the rest of each list begins that is not whole.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Next {
    /// Of the sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<String>,
    /// Of the approvals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approvals: Option<String>,
    /// Of the calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<String>,
    /// Of the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work: Option<String>,
}

read_fields!(Next {
    sessions,
    approvals,
    calls,
    work,
});

impl Next {
    fn is_nowhere(&self) -> bool {
        *self == Self::default()
    }
}

/// Everything in an inbox (P15.1).
#[derive(Debug, Default, Serialize)]
pub struct Lists {
    /// Sessions, the newest activity first.
    pub sessions: Vec<Box<RawValue>>,
    /// Pending approvals, the newest first.
    pub approvals: Vec<Box<RawValue>>,
    /// Open tool calls, the newest first (P8.9).
    pub calls: Vec<Box<RawValue>>,
    /// Inputs that wait for an agent, the oldest first (P15.3).
    pub work: Vec<Box<RawValue>>,
    /// The rest of lists that are not whole.
    #[serde(skip_serializing_if = "Next::is_nowhere")]
    pub next: Next,
}

read_fields!(Lists {
    sessions,
    approvals,
    calls,
    work,
    next: or_default,
});

/// The answer to `GET /v1/inbox` (P15.1).
#[derive(Debug, Serialize)]
pub struct Content {
    /// Its lists.
    #[serde(flatten)]
    pub lists: Lists,
    /// Up to here a reader has everything: a serial, or several with commas between.
    pub serial: String,
}

/// The first frame of a connection: the inbox as of now (P15.2).
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "inbox", rename_all = "camelCase")]
pub struct Attached<'a> {
    /// The version of the protocol.
    pub protocol: u32,
    /// Its owner: `client:ID` or `role:NAME`.
    pub inbox: &'a str,
    /// This connection.
    pub connection: &'a ConnectionId,
    /// The client behind it.
    pub client: &'a str,
    /// When its token expires (P2.6).
    pub expires_at: Timestamp,
    /// The inbox's clock.
    pub at: Timestamp,
    /// The bounds that hold (P14).
    pub limits: &'a Limits,
    /// Whether the frames that follow continue after `since`; then no list is there.
    pub resumed: bool,
    /// Up to here a reader has everything.
    pub serial: Serial,
    /// Its lists.
    #[serde(flatten)]
    pub lists: Option<Lists>,
}

/// The frame of an item that changed: the whole item, or that it is gone (P15.2).
pub fn changed(
    kind: ItemKind,
    serial: Serial,
    session: &str,
    id: &str,
    body: Option<&str>,
) -> String {
    let name = match kind {
        ItemKind::Session => "session",
        ItemKind::Approval => "approval",
        ItemKind::Call => "call",
        ItemKind::Work => "work",
    };
    let gone = match kind {
        ItemKind::Session => serde_json::json!({ "id": session, "gone": true }),
        ItemKind::Approval | ItemKind::Call | ItemKind::Work => {
            serde_json::json!({ "id": id, "session": session, "gone": true })
        }
    };
    let gone = gone.to_string();
    let body = body.unwrap_or(&gone);
    format!("{{\"type\":\"inbox.{name}\",\"serial\":\"{serial}\",\"{name}\":{body}}}")
}

/// The answer with one list (P11.3).
pub fn list_answer(kind: ItemKind, items: &[Box<RawValue>], next: Option<&str>) -> String {
    #[derive(Serialize)]
    struct Answer<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        sessions: Option<&'a [Box<RawValue>]>,
        #[serde(skip_serializing_if = "Option::is_none")]
        approvals: Option<&'a [Box<RawValue>]>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<&'a str>,
    }
    let is_sessions = kind == ItemKind::Session;
    encode(&Answer {
        sessions: Some(items).filter(|_| is_sessions),
        approvals: Some(items).filter(|_| !is_sessions),
        next,
    })
}
