//! How much a client has not read (P9.5).

use crate::protocol::limits::{UNREAD_MOST, UNREAD_SCANNED};
use crate::session::context::Context;
use crate::store::StoreError;

/// Messages of others after the client's mark that are not deleted: `UNREAD_MOST` at most, among
/// the newest `UNREAD_SCANNED`. Two rows for each of those.
pub(crate) fn unread(cx: &Context<'_>, client: &str) -> Result<usize, StoreError> {
    let known = cx.memory.marks.known(cx.engine.store)?;
    let after = known.marks.get(client).map_or(0, |kept| kept.place);
    let found = cx.engine.store.unread(client, after, UNREAD_SCANNED)?;
    Ok(found.min(UNREAD_MOST))
}
