//! The tree in memory. It is read from its rows when it is first needed: a session that only
//! passes text on never pays for it.

use std::cell::OnceCell;
use std::collections::VecDeque;

use super::tree::Tree;
use crate::protocol::limits::{STATE_RECENT_BYTES, STATE_ROW_BYTES};
use crate::protocol::serial::Place;
use crate::protocol::state::ops_of_row;
use crate::protocol::tree::Node;
use crate::store::{StateChange, Store, StoreError};

/// The tree, if it was needed.
#[derive(Debug, Default)]
pub(crate) struct State(OnceCell<Known>);

/// The tree, and the latest of its changes.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) tree: Tree,
    /// The place of its latest change; 0 if there is none.
    pub(super) version: Place,
    /// The client of its latest change.
    pub(super) client: String,
    /// The row for the next change.
    pub(super) slot: u64,
    /// Bytes of the changes since the row of the tree, as they are counted.
    pub(super) journal: usize,
    recent: VecDeque<StateChange>,
    recent_bytes: usize,
}

impl State {
    pub(super) fn known(&self, store: &Store) -> Result<&Known, StoreError> {
        if let Some(known) = self.0.get() {
            return Ok(known);
        }
        let known = Known::load(store)?;
        Ok(self.0.get_or_init(|| known))
    }

    pub(super) fn known_mut(&mut self, store: &Store) -> Result<&mut Known, StoreError> {
        self.known(store)?;
        let lost = || StoreError("the state that was read is not there".to_owned());
        self.0.get_mut().ok_or_else(lost)
    }
}

impl Known {
    fn load(store: &Store) -> Result<Self, StoreError> {
        let unreadable = || StoreError("unable to read the state".to_owned());
        let rows = store.state()?;
        let mut known = Self {
            slot: 1,
            ..Self::default()
        };
        if let Some(kept) = rows.tree {
            known.tree = Tree::new(Node::from_row(kept.tree).ok_or_else(unreadable)?);
            known.version = kept.place;
            known.client = kept.client;
        }
        let since = known.version;
        for change in rows.changes {
            if since < change.place {
                let ops = ops_of_row(&change.ops).ok_or_else(unreadable)?;
                known.tree.apply(ops).map_err(|_| unreadable())?;
                known.journal += counted(&change.ops);
                known.slot += 1;
            }
            known.note(change);
        }
        Ok(known)
    }

    /// A change is the latest from now on.
    pub(super) fn note(&mut self, change: StateChange) {
        if self.version < change.place {
            self.version = change.place;
            self.client.clone_from(&change.client);
        }
        self.recent_bytes += change.ops.len();
        self.recent.push_back(change);
        let most = STATE_RECENT_BYTES.min(self.tree.bytes());
        while most < self.recent_bytes {
            let Some(gone) = self.recent.pop_front() else {
                break;
            };
            self.recent_bytes -= gone.ops.len();
        }
    }

    /// The operations after a place as one list in JSON, if they are known and shorter than the
    /// tree.
    pub(super) fn ops_since(&self, since: Place) -> Option<String> {
        let mut missed = self.recent.iter().filter(|change| since < change.place);
        let first = missed.next().filter(|first| first.prior <= since)?;
        let missed = std::iter::once(first).chain(missed);
        let bytes: usize = missed.clone().map(|change| change.ops.len()).sum();
        if self.tree.bytes() < bytes {
            return None;
        }
        let inner = missed.filter_map(|change| change.ops.strip_prefix('[')?.strip_suffix(']'));
        let inner = inner.filter(|ops| !ops.is_empty());
        let inner: Vec<&str> = inner.collect();
        Some(format!("[{}]", inner.join(",")))
    }
}

/// The bytes that a change counts as until the tree is stored anew: a row costs something
/// however short it is.
pub(super) fn counted(ops: &str) -> usize {
    ops.len().max(STATE_ROW_BYTES)
}
