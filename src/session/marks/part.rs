//! Read marks as a part of the session: one that moved twice within two seconds is stored and
//! told a little later.

use super::memory::{MARKS, Marks};
use super::read::keep;
use super::unread::unread;
use crate::protocol::frame::Lists;
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::WINDOW_MS_MAX;
use crate::protocol::news::Telling;
use crate::session::context::{Context, Memory};
use crate::session::engine::{Live, Owner, after};
use crate::session::marks::shown::marks;
use crate::session::part::Part;
use crate::store::StoreError;

/// Read marks, as a part of the session.
pub(crate) struct Marked;

impl Part for Marked {
    const OWNER: Option<Owner> = Some(MARKS);

    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        // The rows are read when they are needed.
        cx.memory.marks = Marks::default();
        Ok(())
    }

    fn due_at(cx: &Context<'_>) -> Timestamp {
        let Some(known) = cx.memory.marks.ahead() else {
            return Timestamp::MAX;
        };
        let ahead = known.ahead.iter();
        let kept = ahead.filter_map(|client| known.marks.get(client));
        let due = kept.map(|kept| kept.due(cx.engine.now)).min();
        due.unwrap_or(Timestamp::MAX)
    }

    fn ring(cx: &mut Context<'_>) -> Result<(), StoreError> {
        keep(cx)
    }

    fn finish(cx: &mut Context<'_>) -> Result<(), StoreError> {
        if cx.memory.marks.ahead().is_none() {
            return Ok(());
        }
        // No timer is longer.
        let latest = after(cx.engine.now, WINDOW_MS_MAX);
        let tick_at = Self::due_at(cx).min(latest);
        if let Some(known) = cx.memory.marks.ahead_mut() {
            known.tick_at = Some(tick_at);
        }
        Ok(())
    }

    fn window(memory: &Memory) -> Option<Timestamp> {
        memory.marks.ahead().and_then(|known| known.tick_at)
    }

    fn tell(cx: &Context<'_>, telling: &mut Telling<'_>) -> Result<(), StoreError> {
        // A role has no mark.
        let Some(client) = telling.inbox.strip_prefix("client:") else {
            return Ok(());
        };
        // As it is stored: an inbox hears of a later one once its row is there.
        telling.read = cx.engine.store.mark(client)?;
        telling.about.unread = Some(unread(cx, client, telling.read)?);
        Ok(())
    }

    fn listed(cx: &Context<'_>, live: &Live, lists: &mut Lists) -> Result<(), StoreError> {
        lists.marks = marks(cx, &live.connection.client)?;
        Ok(())
    }
}
