//! Two inboxes as one: that of a client, and that of its role (P15.1).

use serde_json::value::RawValue;

use super::frame::encode;
use super::inbox::{Content, Cursor, Lists, Next};
use super::limits::INBOX_LIST;
use super::news::ItemKind;
use super::object::read_fields;
use crate::ordered::{Map, Set};

/// A part of a list, and the cursor of the next.
pub type Part = (Vec<Box<RawValue>>, Option<String>);

/// The fields of an item that give its place in a list.
struct Peek {
    id: String,
    session: String,
    last_activity_at: i64,
    created_at: i64,
    version: String,
    unread: Option<u64>,
}

read_fields!(Peek {
    id,
    session: or_default,
    last_activity_at as "lastActivityAt": or_default,
    created_at as "createdAt": or_default,
    version: or_default,
    unread,
});

/// An item with its place in a list.
struct Placed {
    at: Cursor,
    version: String,
    unread: Option<u64>,
    item: Box<RawValue>,
}

fn place(kind: ItemKind, item: Box<RawValue>) -> Option<Placed> {
    let Peek {
        id,
        session,
        last_activity_at,
        created_at,
        version,
        unread,
    } = serde_json::from_str(item.get()).ok()?;
    let at = match kind {
        ItemKind::Session => Cursor {
            at: last_activity_at,
            session: id,
            id: String::new(),
        },
        ItemKind::Approval | ItemKind::Call | ItemKind::Work => Cursor {
            at: created_at,
            session,
            id,
        },
    };
    Some(Placed {
        at,
        version,
        unread,
        item,
    })
}

/// A session with what its client has not read, which the inbox of a role does not know (P9.5).
fn with_unread(item: &RawValue, unread: u64) -> Option<Box<RawValue>> {
    let fields = item.get().strip_suffix('}')?;
    RawValue::from_string(format!("{fields},\"unread\":{unread}}}")).ok()
}

/// The same part of two lists as one list; each item once, as the inbox has it that heard more.
pub fn merged_parts(kind: ItemKind, own: Part, role: Part, limit: usize) -> Part {
    // Beyond the end of either part the other one may lack what the next part has.
    let ends = [&own.1, &role.1].map(|next| next.as_deref().and_then(Cursor::parse));
    let end = ends.into_iter().flatten().min_by(Cursor::order);
    let items = own.0.into_iter().chain(role.0);
    let mut placed: Vec<_> = items.filter_map(|item| place(kind, item)).collect();
    placed.sort_by(|a, b| a.at.order(&b.at).then_with(|| b.version.cmp(&a.version)));
    let mut unread = Map::new();
    for it in &placed {
        if let Some(number) = it.unread {
            unread.insert(it.at.session.clone(), number);
        }
    }
    let mut known = Set::new();
    placed.retain(|it| known.insert((it.at.session.clone(), it.at.id.clone())));
    let all = placed.len();
    placed.retain(|it| end.as_ref().is_none_or(|end| it.at.order(end).is_le()));
    placed.truncate(limit);
    let has_more = end.is_some() || placed.len() < all;
    let next = placed.last().filter(|_| has_more);
    let next = next.map(|it| it.at.text());
    let items = placed
        .into_iter()
        .map(|it| match (it.unread, unread.get(&it.at.session)) {
            (None, Some(number)) => with_unread(&it.item, *number).unwrap_or(it.item),
            _ => it.item,
        });
    (items.collect(), next)
}

/// Everything in two inboxes, as one. Work is for a client and never for a role.
pub fn merged_lists(own: Lists, role: Lists) -> Lists {
    let merge = |kind, own, role| merged_parts(kind, own, role, INBOX_LIST);
    let (sessions, more_sessions) = merge(
        ItemKind::Session,
        (own.sessions, own.next.sessions),
        (role.sessions, role.next.sessions),
    );
    let (approvals, more_approvals) = merge(
        ItemKind::Approval,
        (own.approvals, own.next.approvals),
        (role.approvals, role.next.approvals),
    );
    let (calls, more_calls) = merge(
        ItemKind::Call,
        (own.calls, own.next.calls),
        (role.calls, role.next.calls),
    );
    Lists {
        sessions,
        approvals,
        calls,
        work: own.work,
        next: Next {
            sessions: more_sessions,
            approvals: more_approvals,
            calls: more_calls,
            work: own.next.work,
        },
    }
}

/// The answer of an inbox, or of one list of it, as it is read again.
struct Read {
    sessions: Vec<Box<RawValue>>,
    approvals: Vec<Box<RawValue>>,
    calls: Vec<Box<RawValue>>,
    work: Vec<Box<RawValue>>,
    next: Option<Box<RawValue>>,
    serial: String,
    resumed: bool,
}

read_fields!(Read {
    sessions: or_default,
    approvals: or_default,
    calls: or_default,
    work: or_default,
    next,
    serial: or_default,
    resumed: or_default,
});

impl Read {
    fn lists(self) -> Lists {
        let next = self.next.as_ref();
        let next = next.and_then(|next| serde_json::from_str(next.get()).ok());
        Lists {
            sessions: self.sessions,
            approvals: self.approvals,
            calls: self.calls,
            work: self.work,
            next: next.unwrap_or_default(),
        }
    }

    fn part(self, kind: ItemKind) -> Part {
        let next = self.next.as_ref();
        let next = next.and_then(|next| serde_json::from_str(next.get()).ok());
        let items = match kind {
            ItemKind::Session => self.sessions,
            ItemKind::Approval => self.approvals,
            ItemKind::Call => self.calls,
            ItemKind::Work => self.work,
        };
        (items, next)
    }
}

/// The answers of two inboxes to `GET /v1/inbox` as one; `None` if either is none.
pub fn merged_contents(own: &str, role: &str) -> Option<String> {
    let [own, role] = [own, role].map(|text| serde_json::from_str::<Read>(text).ok());
    let (own, role) = (own?, role?);
    let serial = position(&own.serial, &role.serial);
    let lists = merged_lists(own.lists(), role.lists());
    Some(encode(&Content { lists, serial }))
}

/// A page of the same list of two inboxes as one; `None` if either is none.
pub fn merged_pages(kind: ItemKind, own: &str, role: &str, limit: usize) -> Option<Part> {
    let [own, role] = [own, role].map(|text| serde_json::from_str::<Read>(text).ok());
    Some(merged_parts(kind, own?.part(kind), role?.part(kind), limit))
}

/// The first frames of two inboxes as one, with their serials.
#[derive(Debug)]
pub enum First {
    /// One frame, and the serial of each inbox.
    Merged(String, [String; 2]),
    /// One of them resumes and the other does not: both must begin anew.
    Apart,
    /// One of them is no such frame.
    Other,
}

/// Merges the first frames of two inboxes.
pub fn merged_first(own: &str, role: &str) -> First {
    const CUT: &str = ",\"resumed\":";
    let read = |text: &str| serde_json::from_str::<Read>(text).ok();
    // Everything before is about the connection.
    let (Some(at), Some(own_read), Some(role_read)) = (own.find(CUT), read(own), read(role)) else {
        return First::Other;
    };
    if !role.contains(CUT) {
        return First::Other;
    }
    let resumed = own_read.resumed;
    if resumed != role_read.resumed {
        return First::Apart;
    }
    let serials = [own_read.serial.clone(), role_read.serial.clone()];
    let serial = position(&own_read.serial, &role_read.serial);
    let head = own.get(..at).unwrap_or_default();
    let frame = if resumed {
        format!("{head}{CUT}true,\"serial\":\"{serial}\"}}")
    } else {
        let lists = merged_lists(own_read.lists(), role_read.lists());
        let lists = encode(&Content { lists, serial });
        let lists = lists.strip_prefix('{').unwrap_or_default();
        format!("{head}{CUT}false,{lists}")
    };
    First::Merged(frame, serials)
}

/// A position in two inboxes.
fn position(own: &str, role: &str) -> String {
    format!("{own},{role}")
}

/// The frame of one inbox among two: its position is that in both, of which `serials` has each, the
/// frame's own at `index`.
pub fn placed(frame: &str, serials: &mut [String; 2], index: usize) -> String {
    const FIELD: &str = ",\"serial\":\"";
    let is_change = frame.starts_with("{\"type\":\"inbox.");
    let cut = frame.split_once(FIELD).filter(|_| is_change);
    let Some((head, rest)) = cut else {
        return frame.to_owned();
    };
    let Some((serial, rest)) = rest.split_once('"') else {
        return frame.to_owned();
    };
    if let Some(known) = serials.get_mut(index) {
        serial.clone_into(known);
    }
    let [own, role] = serials;
    let serial = position(own, role);
    format!("{head}{FIELD}{serial}\"{rest}")
}
