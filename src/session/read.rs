//! What HTTP reads: history, one message, the snapshot (P3.9, P11.1).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::connection::Sender;
use super::{Error, Session};
use crate::protocol::capability::Operation;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::Presence;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::PAGE_BYTES;
use crate::protocol::message::Message;
use crate::protocol::serial::{PLACE_MAX, Place, Serial};
use crate::protocol::settings::Settings;
use crate::protocol::turn::{Shown, Turn};
use crate::store::{Page, Span, Store, StoreError};

/// A page of history.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct History {
    messages: Vec<Box<RawValue>>,
    /// Those that the messages belong to (P6.9).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    turns: Vec<Shown>,
    has_more: bool,
    /// What `before` or `after` of the next page is.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Serial>,
}

/// A session in one read; approvals and state join with their features.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot<'a> {
    session: &'a str,
    serial: Serial,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Timestamp>,
    settings: &'a Settings,
    #[serde(flatten)]
    presence: Presence,
    /// Those that are open, and those that the messages belong to (P6.9).
    turns: Vec<Shown>,
    has_older: bool,
    messages: Vec<Box<RawValue>>,
}

impl Session {
    pub(super) fn history(
        &self,
        store: &Store,
        sender: &Sender,
        before: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<String, Error> {
        sender.must(Operation::Read, "read", &self.id)?;
        let before = before.map(|text| self.cursor("before", text)).transpose()?;
        let after = after.map(|text| self.cursor("after", text)).transpose()?;
        let span = Span {
            after: after.unwrap_or(0),
            before: before.unwrap_or(PLACE_MAX + 1),
            newest_first: after.is_none(),
            names: None,
            limit,
            bytes: PAGE_BYTES,
        };
        let page = store.page(self.epoch, &span)?;
        Ok(self.encode_page(store, page)?)
    }

    /// A page with the turns that its messages belong to.
    pub(super) fn encode_page(&self, store: &Store, page: Page) -> Result<String, StoreError> {
        let Bounded {
            messages,
            has_more,
            last,
            turns,
        } = self.bounded_page(store, page)?;
        let next = last.filter(|_| has_more);
        Ok(encode(&History {
            messages,
            turns: turns.iter().map(|turn| self.stored(turn)).collect(),
            has_more,
            next,
        }))
    }

    pub(super) fn one_message(
        &self,
        store: &Store,
        sender: &Sender,
        serial: &str,
        without_data: bool,
    ) -> Result<String, Error> {
        // Whoever streams a body is told what became of it, without a right to read others.
        let operation = if without_data {
            Operation::Publish
        } else {
            Operation::Read
        };
        sender.must(operation, "read", &self.id)?;
        let missing = || {
            let message = format!("unable to read; there is no message {serial:?}");
            ErrorInfo::new(ErrorCode::NotFound, message)
        };
        let parsed = Serial::parse(serial).filter(|serial| serial.epoch == self.epoch);
        let place = parsed.ok_or_else(missing)?.place;
        let mut message = store.message(self.epoch, place)?.ok_or_else(missing)?;
        if without_data {
            message.data = None;
        }
        #[derive(Serialize)]
        struct One {
            message: Message,
        }
        Ok(encode(&One { message }))
    }

    pub(super) fn snapshot(
        &self,
        store: &Store,
        sender: &Sender,
        rewind: usize,
    ) -> Result<String, Error> {
        sender.must(Operation::Read, "read", &self.id)?;
        let span = Span {
            after: 0,
            before: PLACE_MAX + 1,
            newest_first: true,
            names: None,
            limit: rewind,
            bytes: PAGE_BYTES,
        };
        let Bounded {
            mut messages,
            has_more: has_older,
            mut turns,
            ..
        } = self.bounded_page(store, store.page(self.epoch, &span)?)?;
        messages.reverse();
        turns.retain(|turn| !self.turns.contains_key(&turn.id));
        turns.extend(self.turns.values().map(|open| open.turn.clone()));
        turns.sort_unstable_by_key(|turn| turn.place);
        Ok(encode(&Snapshot {
            session: &self.id,
            serial: self.epoch.at(self.end),
            created_at: self.created_at,
            updated_at: self
                .created_at
                .map(|created_at| created_at.max(self.written_at)),
            settings: &self.settings,
            presence: self.presence(),
            turns: turns.iter().map(|turn| self.stored(turn)).collect(),
            has_older,
            messages,
        }))
    }

    /// A page as JSON, which may be longer than the text that the store counts; each turn counts
    /// with the first message that belongs to it.
    fn bounded_page(&self, store: &Store, page: Page) -> Result<Bounded, StoreError> {
        let ids = page
            .messages
            .iter()
            .filter_map(|message| message.turn.clone());
        let turns = store.named_turns(&ids.collect::<Vec<_>>())?;
        let size = |turn: &Turn| (turn.id.clone(), encode(&self.stored(turn)).len());
        let mut uncounted: BTreeMap<String, usize> = turns.iter().map(size).collect();
        let mut bounded = Bounded {
            has_more: page.has_more,
            ..Bounded::default()
        };
        let mut bytes = 0;
        for message in page.messages {
            let Ok(raw) = serde_json::value::to_raw_value(&message) else {
                continue;
            };
            let turn = message.turn.unwrap_or_default();
            bytes += raw.get().len() + uncounted.get(&turn).copied().unwrap_or(0);
            if PAGE_BYTES < bytes && !bounded.messages.is_empty() {
                bounded.has_more = true;
                break;
            }
            bounded.messages.push(raw);
            bounded.last = Some(message.serial);
            uncounted.remove(&turn);
        }
        let turns = turns.into_iter();
        bounded.turns = turns
            .filter(|turn| !uncounted.contains_key(&turn.id))
            .collect();
        Ok(bounded)
    }

    pub(super) fn cursor(&self, name: &str, text: &str) -> Result<Place, ErrorInfo> {
        let serial = Serial::parse(text).filter(|serial| serial.epoch == self.epoch);
        serial.map(|serial| serial.place).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            let message = format!("unable to read; {name} {shown:?} is no serial of this session");
            ErrorInfo::new(ErrorCode::NotFound, message)
        })
    }
}

/// Messages as JSON, and the turns that they belong to.
#[derive(Default)]
struct Bounded {
    messages: Vec<Box<RawValue>>,
    has_more: bool,
    last: Option<Serial>,
    turns: Vec<Turn>,
}

pub(super) fn encode(body: &impl Serialize) -> String {
    serde_json::to_string(body).unwrap_or_default()
}
