//! How much a client has not read (P9.5).

use crate::protocol::limits::{UNREAD_MOST, UNREAD_SCANNED};
use crate::protocol::serial::Place;
use crate::session::context::Context;
use crate::store::StoreError;

/// Messages of others to people after a mark that are not deleted: `UNREAD_MOST` at most, among the
/// newest `UNREAD_SCANNED`. A row for each that is looked at.
pub(super) fn unread(cx: &Context<'_>, client: &str, mark: Place) -> Result<usize, StoreError> {
    let bounds = (UNREAD_MOST, UNREAD_SCANNED);
    cx.engine.store.unread(client, mark, bounds)
}
