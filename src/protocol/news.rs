//! News: the text by which a session tells an inbox of itself (P15).
//!
//! It is the state and no event: whatever was lost before is made up for by the next one.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::handover::Leading;
use super::ids::Timestamp;
use super::limits::{NEWS_BYTES, NEWS_ITEMS};
use super::notice::Away;
use super::object::read_fields;
use super::serial::Place;
use crate::ordered::sort_by_number;

/// The kind of an item of an inbox. Rows keep the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ItemKind {
    /// A session (P11.3).
    Session = 0,
    /// An approval or a question (P8).
    Approval = 1,
    /// A call of a client's tool (P8.9).
    Call = 2,
    /// An input for an agent (P15.3).
    Work = 3,
}

impl Serialize for ItemKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8((*self).into())
    }
}

impl<'de> Deserialize<'de> for ItemKind {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        Self::try_from(u8::deserialize(source)?).map_err(Error::custom)
    }
}

impl From<ItemKind> for u8 {
    fn from(kind: ItemKind) -> Self {
        kind as Self
    }
}

impl TryFrom<u8> for ItemKind {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, &'static str> {
        match number {
            0 => Ok(Self::Session),
            1 => Ok(Self::Approval),
            2 => Ok(Self::Call),
            3 => Ok(Self::Work),
            _ => Err("a kind of item"),
        }
    }
}

/// An approval or a call, where both are one thing.
pub trait Asking {
    /// Its kind in an inbox.
    const KIND: ItemKind;

    /// Its id.
    fn id(&self) -> &str;

    /// The turn that it belongs to.
    fn turn(&self) -> Option<&str>;

    /// The places of its request and of its latest change.
    fn places(&self) -> (Place, Place);

    /// When it was asked.
    fn created_at(&self) -> Timestamp;

    /// Whether it waits for somebody.
    fn is_open(&self) -> bool;
}

/// A session as inboxes show it (P11.3).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// Its id.
    pub id: String,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last written to.
    pub last_activity_at: Timestamp,
    /// Open turns.
    pub open_turns: usize,
    /// Pending approvals, whoever may decide them.
    pub pending_approvals: usize,
    /// The person who leads (P8.8).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead: Option<Leading>,
    /// Messages that the client whose inbox it is has not read (P9.5); a role reads nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<usize>,
}

read_fields!(About {
    id,
    title,
    created_at as "createdAt",
    last_activity_at as "lastActivityAt",
    open_turns as "openTurns",
    pending_approvals as "pendingApprovals",
    lead,
    unread,
});

/// An item that changed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Its kind.
    pub kind: ItemKind,
    /// Its id among those of its kind in its session.
    pub id: String,
    /// Whether it waits for somebody.
    pub is_open: bool,
    /// When it was asked.
    pub at: Timestamp,
    /// The whole item, as JSON.
    pub body: Box<RawValue>,
}

read_fields!(Item {
    kind,
    id,
    is_open as "isOpen",
    at,
    body,
});

impl Item {
    /// An item, shown as this JSON; `None` if it is none.
    pub fn new(
        kind: ItemKind,
        id: &str,
        is_open: bool,
        at: Timestamp,
        body: String,
    ) -> Option<Self> {
        Some(Self {
            kind,
            id: id.to_owned(),
            is_open,
            at,
            body: RawValue::from_string(body).ok()?,
        })
    }
}

/// The news of one session for one inbox.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct News {
    /// The session.
    pub session: String,
    /// The epoch of its life.
    pub epoch: String,
    /// When that life began.
    pub begun_at: Timestamp,
    /// The place up to which this tells: an inbox takes each place of a life once.
    pub place: Place,
    /// The session; `None` if it is gone, or told this inbox no more.
    pub about: Option<About>,
    /// The items that changed since the place that was told before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
    /// Every item of the session that waits for this inbox: others do not wait any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<(ItemKind, String)>,
    /// There if the client of this inbox is away from the session, and has to be told on its
    /// devices (P10.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub away: Option<Away>,
}

read_fields!(News {
    session,
    epoch,
    begun_at as "begunAt",
    place,
    about,
    items: or_default,
    open: or_default,
    away,
});

/// News while it is collected from the features of a session.
#[derive(Debug)]
pub struct Telling<'a> {
    /// The inbox that is told.
    pub inbox: &'a str,
    /// The place up to which it was told.
    pub told: Place,
    /// Whether the log tells what changed since; otherwise only what is open counts.
    pub is_recent: bool,
    /// The read mark of its client; 0 without one.
    pub read: Place,
    /// The session.
    pub about: About,
    /// Every item that waits for this inbox.
    pub open: Vec<(ItemKind, String)>,
    /// Changed items with the places of their latest changes.
    pub items: Vec<(Place, Item)>,
    /// There if its client is away and has to be told (P10.2).
    pub away: Option<Away>,
    /// The place up to which every changed item is among them.
    pub up_to: Place,
}

impl Telling<'_> {
    /// Adds askings of one kind that concern the inbox: those that wait, and those that changed.
    /// `changed` reads those that changed after a place, no more than so many.
    ///
    /// # Errors
    /// When that read fails.
    pub fn add_askings<'a, A: Asking + Clone + 'a, E>(
        &mut self,
        pending: impl Iterator<Item = &'a A> + Clone,
        changed: impl FnOnce(Place, usize) -> Result<Vec<A>, E>,
        concerns: impl Fn(&A, &str) -> bool,
        shown: impl Fn(&A) -> String,
    ) -> Result<(), E> {
        let changed = match self.is_recent {
            true => changed(self.told, NEWS_ITEMS)?,
            false => {
                let newer = pending.clone().filter(|it| self.told < it.places().1);
                newer.cloned().collect()
            }
        };
        if self.is_recent && NEWS_ITEMS <= changed.len() {
            // More may have changed.
            let last = changed.last().map(|last| last.places().1);
            self.up_to = self.up_to.min(last.unwrap_or(self.up_to));
        }
        let open = pending.filter(|it| concerns(it, self.inbox));
        let own = changed.iter().filter(|it| concerns(it, self.inbox));
        let items = own.filter_map(|it| {
            let item = Item::new(A::KIND, it.id(), it.is_open(), it.created_at(), shown(it))?;
            Some((it.places().1, item))
        });
        self.add(A::KIND, open.map(|it| it.id().to_owned()), items);
        Ok(())
    }

    /// Adds items of one kind: the ids of those that wait, and those that changed, each with the
    /// place of its change.
    pub fn add(
        &mut self,
        kind: ItemKind,
        open: impl Iterator<Item = String>,
        changed: impl Iterator<Item = (Place, Item)>,
    ) {
        self.open.extend(open.map(|id| (kind, id)));
        self.items.extend(changed);
    }

    /// The items that fit into one text, in the order of their changes, and the place up to which
    /// they tell.
    pub fn fitting(&mut self) -> (Vec<Item>, Place) {
        let mut items = std::mem::take(&mut self.items);
        items.retain(|(place, _)| *place <= self.up_to);
        sort_by_number(&mut items, |(place, _)| *place);
        let (mut bytes, mut up_to, mut fitting) = (0, self.up_to, Vec::new());
        let mut last = 0;
        for (place, item) in items {
            bytes += item.body.get().len();
            if NEWS_BYTES < bytes && !fitting.is_empty() && last < place {
                up_to = last;
                break;
            }
            last = place;
            fitting.push(item);
        }
        (fitting, up_to)
    }
}
