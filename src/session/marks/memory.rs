//! The marks in memory, read from their rows when they are first needed.

use std::cell::OnceCell;

use crate::ordered::{Map, Set};
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{MARK_MS, MARKS_TOLD};
use crate::protocol::serial::Place;
use crate::session::engine::{Owner, Wait, after};
use crate::store::{Store, StoreError};

/// Marks wait for the end of their two seconds: a timer sees to it, and the next input after one
/// that was lost.
pub(super) const MARKS: Owner = Owner {
    name: "marks",
    wait: Wait::Input,
};

/// The marks, if they were needed.
#[derive(Debug, Default)]
pub(crate) struct Marks(OnceCell<Known>);

/// All marks.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) marks: Map<String, Kept>,
    /// The clients whose mark is ahead of its row.
    pub(super) ahead: Set<String>,
    /// When to look after those.
    pub(super) tick_at: Option<Timestamp>,
}

/// A client's mark.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kept {
    pub(super) place: Place,
    /// When it was last stored and told.
    pub(super) kept_at: Timestamp,
}

impl Kept {
    /// When it may be stored and told again. A clock that jumped back delays it no longer.
    pub(super) fn due(self, now: Timestamp) -> Timestamp {
        after(self.kept_at.min(now), MARK_MS)
    }
}

impl Marks {
    pub(super) fn known(&self, store: &Store) -> Result<&Known, StoreError> {
        if let Some(known) = self.0.get() {
            return Ok(known);
        }
        let marks = store.marks()?.into_iter();
        let marks = marks.map(|(client, place, kept_at)| (client, Kept { place, kept_at }));
        let known = Known {
            marks: marks.collect(),
            ..Known::default()
        };
        Ok(self.0.get_or_init(|| known))
    }

    pub(super) fn known_mut(&mut self, store: &Store) -> Result<&mut Known, StoreError> {
        self.known(store)?;
        let lost = || StoreError("the marks that were read are not there".to_owned());
        self.0.get_mut().ok_or_else(lost)
    }

    /// The marks, if one is ahead of its row.
    pub(super) fn ahead(&self) -> Option<&Known> {
        self.0.get().filter(|known| !known.ahead.is_empty())
    }

    pub(super) fn ahead_mut(&mut self) -> Option<&mut Known> {
        self.0.get_mut().filter(|known| !known.ahead.is_empty())
    }
}

impl Known {
    /// Whether all are told of all.
    pub(super) fn is_told_to_all(&self) -> bool {
        self.marks.len() <= MARKS_TOLD
    }
}
