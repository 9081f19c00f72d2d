//! A database that takes no more (P14): what needs room is refused, and nothing else suffers.
//!
//! A write that fails for space has changed no row, and memory may be ahead of the rows by then.
//! So memory is made anew from them, as a session that wakes does it, while everybody stays: what
//! was shown is stored, and what is not stored was not shown.

use super::outbox::Outbox;
use super::{Error, Session};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::ids::Timestamp;
use crate::store::{Store, StoreError};

/// How long what happens by the clock waits before it is tried again, in milliseconds.
const AGAIN_MS: Timestamp = 60_000;

impl Session {
    /// Goes on after a write that failed for space; any other failure stays one. Says whether
    /// there was none at all.
    pub(super) fn survive(
        &mut self,
        store: &Store,
        now: Timestamp,
        done: Result<(), StoreError>,
        out: &mut Outbox,
    ) -> Result<bool, StoreError> {
        match done {
            Ok(()) => Ok(true),
            Err(error) if error.is_full() => {
                self.begin_anew(store, now, out)?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// The same for a frame: it is refused.
    pub(super) fn survive_frame(
        &mut self,
        store: &Store,
        now: Timestamp,
        done: Result<(), Error>,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        match done {
            Err(Error::Store(error)) if error.is_full() => {
                self.begin_anew(store, now, out)?;
                Err(self.full().into())
            }
            done => done,
        }
    }

    /// The refusal of what there is no room for.
    pub(super) fn full(&self) -> ErrorInfo {
        let message = format!(
            "unable to write; the database of session {} has no room left",
            self.id
        );
        ErrorInfo::new(ErrorCode::OverLimit, message)
    }

    fn begin_anew(
        &mut self,
        store: &Store,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let beginning = store.beginning()?;
        self.created_at = beginning.as_ref().map(|beginning| beginning.created_at);
        self.floor = beginning.map_or(0, |beginning| beginning.floor);
        self.end = store.end()?.place;
        self.rollup.begin_anew(store.streaming()?);
        let error = self.full();
        self.rollup.answers.refuse(&error, out);
        self.turns.clear();
        self.load_turns(store)?;
        self.disown_bodies();
        self.expect_anew(store)?;
        self.expiry_waits(now.saturating_add(AGAIN_MS));
        self.listen();
        Ok(())
    }
}
