//! A session in one read (P11.1).

use crate::ordered::sort_by_number;
use crate::protocol::frame::{Presence, encode};
use crate::protocol::limits::PAGE_BYTES;
use crate::protocol::serial::PLACE_MAX;
use crate::protocol::snapshot::Snapshot;
use crate::session::context::Context;
use crate::session::engine::Error;
use crate::session::marks::shown::marks;
use crate::session::parts;
use crate::session::readers::page::{Bounded, bounded_page};
use crate::session::state::shown::brief;
use crate::session::turns::shown::stored;
use crate::session::usage::budget::over_budget;
use crate::store::Span;

pub(crate) fn snapshot(cx: &Context<'_>, client: &str, rewind: usize) -> Result<String, Error> {
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
    } = bounded_page(cx, cx.engine.store.page(cx.engine.epoch, &span)?)?;
    messages.reverse();
    turns.retain(|turn| !cx.memory.turns.contains_key(&turn.id));
    turns.extend(cx.memory.turns.values().map(|open| open.turn.clone()));
    sort_by_number(&mut turns, |turn| turn.place);
    let mut snapshot = Snapshot {
        session: &cx.engine.id,
        serial: cx.engine.epoch.at(cx.engine.end),
        created_at: cx.engine.created_at,
        updated_at: cx
            .engine
            .created_at
            .map(|created_at| created_at.max(cx.engine.written_at)),
        settings: &cx.engine.settings,
        presence: Presence::default(),
        lead: None,
        turns: turns.iter().map(|turn| stored(cx, turn)).collect(),
        approvals: None,
        grants: Vec::new(),
        calls: None,
        state: brief(cx, PAGE_BYTES)?,
        marks: marks(cx, client)?,
        usage: cx.memory.usage.known(cx.engine.store)?.clone(),
        over_budget: over_budget(cx)?,
        has_older,
        messages,
    };
    parts::snapshot(cx, &mut snapshot);
    Ok(encode(&snapshot))
}
