//! Turns and members as lists: what HTTP reads, what `attached` and a replay tell (P3.4,
//! P6.9, P7.4).

use serde::Serialize;

use super::connection::Sender;
use super::read::encode;
use super::{Error, Session};
use crate::protocol::capability::Operation;
use crate::protocol::frame::ServerFrame;
use crate::protocol::limits::{LIST_BYTES, PAGE_BYTES};
use crate::protocol::serial::{PLACE_MAX, Serial};
use crate::protocol::turn::{Shown, Turn};
use crate::store::{Store, StoreError};

/// Turns in the order asked for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Turns {
    turns: Vec<Shown>,
    has_more: bool,
    /// What `before` of the next page is.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Serial>,
}

impl Session {
    /// `GET …/turns`: the open ones, the oldest first; or all of them, the newest first.
    pub(super) fn list_turns(
        &self,
        store: &Store,
        sender: &Sender,
        all: bool,
        before: Option<&str>,
        limit: usize,
    ) -> Result<String, Error> {
        sender.must(Operation::Read, "read", &self.id)?;
        let before = before.map(|text| self.cursor("before", text)).transpose()?;
        if !all {
            return Ok(encode(&Turns {
                turns: self.open_turns(),
                has_more: false,
                next: None,
            }));
        }
        let before = before.unwrap_or(PLACE_MAX + 1);
        let mut turns = store.turns_before(before, limit.saturating_add(1))?;
        let found = turns.len();
        turns.truncate(limit);
        // A page ends where one of history does.
        let mut bytes = 0;
        let fitting = turns
            .iter()
            .map(|turn| self.stored(turn))
            .take_while(|turn| {
                let is_first = bytes == 0;
                bytes += encode(turn).len();
                is_first || bytes <= PAGE_BYTES
            });
        let shown: Vec<Shown> = fitting.collect();
        let has_more = shown.len() < found;
        let last = turns.get(shown.len().saturating_sub(1));
        let last = last.map(|turn| self.epoch.at(turn.place));
        Ok(encode(&Turns {
            next: last.filter(|_| has_more),
            has_more,
            turns: shown,
        }))
    }

    /// `GET …/turns/{id}`.
    pub(super) fn one_turn(
        &self,
        store: &Store,
        sender: &Sender,
        id: &str,
    ) -> Result<String, Error> {
        #[derive(Serialize)]
        struct One {
            turn: Shown,
        }
        sender.must(Operation::Read, "read", &self.id)?;
        let turn = store.turn(id)?;
        let turn = turn.ok_or_else(|| super::control::missing_turn("read", id))?;
        let turn = self.stored(&turn);
        Ok(encode(&One { turn }))
    }

    /// `GET …/presence`.
    pub(super) fn list_presence(&self, sender: &Sender) -> Result<String, Error> {
        sender.must(Operation::Read, "read", &self.id)?;
        Ok(encode(&self.presence()))
    }

    /// The open turns, in the order in which they began.
    fn open_turns(&self) -> Vec<Shown> {
        let mut open: Vec<_> = self.turns.values().collect();
        open.sort_unstable_by_key(|open| open.turn.place);
        open.into_iter().map(|open| self.shown(open)).collect()
    }

    /// The same for `attached`, which leaves a long list to `GET …/turns`.
    pub(super) fn brief_turns(&self) -> Option<Vec<Shown>> {
        let turns = self.open_turns();
        let bytes = serde_json::to_string(&turns).map_or(0, |text| text.len());
        (bytes <= LIST_BYTES).then_some(turns)
    }

    /// Those of these turns that are final.
    pub(super) fn final_turns(
        &self,
        store: &Store,
        mut ids: Vec<String>,
    ) -> Result<Vec<Turn>, StoreError> {
        ids.retain(|id| !self.turns.contains_key(id));
        store.named_turns(&ids)
    }

    /// The frame that brings a reader's turn up to date (P3.5).
    pub(super) fn latest_frame(&self, turn: &Turn) -> ServerFrame {
        self.turn_frame(turn.event, turn.version, self.stored(turn))
    }
}
