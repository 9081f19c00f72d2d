//! A feature's share in events other than frames and reads.

use super::context::{Asked, Context, Memory};
use super::engine::{Live, News, Owner, Step};
use crate::ordered::Set;
use crate::protocol::frame::{Lists, ServerFrame};
use crate::protocol::ids::Timestamp;
use crate::protocol::news::Telling;
use crate::protocol::serial::Place;
use crate::protocol::snapshot::Snapshot;
use crate::store::StoreError;

/// A feature's part in the events of the session; it implements the methods it needs.
pub(super) trait Part {
    /// The owner under which it waits for a time.
    const OWNER: Option<Owner> = None;

    /// Rebuilds its memory from rows, when the session wakes or after a write without room. The
    /// result must not depend on the time.
    ///
    /// # Errors
    /// When the storage fails.
    fn load(_: &mut Context<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    /// The time that it waits for, as known now.
    fn due_at(_: &Context<'_>) -> Timestamp {
        Timestamp::MAX
    }

    /// Its time has come, or may have.
    ///
    /// # Errors
    /// When the storage fails.
    fn ring(_: &mut Context<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    /// Something has happened in the engine. Nothing may be written or sent.
    ///
    /// # Errors
    /// When the storage fails.
    fn hear(_: &mut Context<'_>, _: &News) -> Result<(), StoreError> {
        Ok(())
    }

    /// The oldest of the requests that a turn waits for (P8.4).
    fn asked(_: &Memory, _turn: &str) -> Option<Asked> {
        None
    }

    /// A turn is about to end in a step: what it asked for is withdrawn with it (P8.4).
    ///
    /// # Errors
    /// When the storage fails.
    fn turn_ends(_: &mut Context<'_>, _: &mut Step, _turn: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// An input was handled, and its frames are about to go out. Nothing may be written.
    ///
    /// # Errors
    /// When the storage fails.
    fn finish(_: &mut Context<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    /// When it will send something, at most 500 ms away.
    fn window(_: &Memory) -> Option<Timestamp> {
        None
    }

    /// Adds the inboxes that something pending concerns (P15).
    fn recipients(_: &Context<'_>, _: &mut Set<String>) {}

    /// Adds the names of those that its pending requests are for, or will be (P15).
    fn named<'a>(_: &'a Context<'_>, _: &mut Vec<&'a str>) {}

    /// Adds what an inbox is told of it (P15).
    ///
    /// # Errors
    /// When the storage fails.
    fn tell(_: &Context<'_>, _: &mut Telling<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    /// Whether it keeps the session from expiring (P11.2).
    fn is_busy(_: &Memory) -> bool {
        false
    }

    /// Adds its lists to `attached` (P3.4).
    fn attached(_: &Context<'_>, _: &mut Live, _: &mut Lists) {}

    /// Adds its lists to `attached` where they are read from rows when they are first needed.
    ///
    /// # Errors
    /// When the storage fails.
    fn listed(_: &Context<'_>, _: &Live, _: &mut Lists) -> Result<(), StoreError> {
        Ok(())
    }

    /// Adds the lists that only a reader needs that begins anew, or the frames that stand for one
    /// that is too long (P3.6).
    ///
    /// # Errors
    /// When the storage fails.
    fn anew(_: &Context<'_>, _: &mut Lists) -> Result<Vec<ServerFrame>, StoreError> {
        Ok(Vec::new())
    }

    /// Adds its fields to the snapshot (P11.1).
    fn snapshot(_: &Context<'_>, _: &mut Snapshot<'_>) {}

    /// The frames, beside those of messages, that bring a reader up to date from a place (P3.5); no
    /// more than one beyond `limit`.
    ///
    /// # Errors
    /// When the storage fails.
    fn changed_since(
        _: &Context<'_>,
        _since: Place,
        _limit: usize,
    ) -> Result<Vec<ServerFrame>, StoreError> {
        Ok(Vec::new())
    }
}
