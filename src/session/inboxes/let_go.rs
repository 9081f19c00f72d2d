//! Inboxes that are told of the session no more, as there are too many that nothing waits for.

use crate::ordered::Set;
use crate::protocol::frame::encode;
use crate::protocol::limits::FOLLOWERS;
use crate::protocol::news::News;
use crate::protocol::serial::Place;
use crate::session::context::Context;
use crate::store::{DeliveryKind, FollowerWrite, Parcel, StoreError, Write};

/// The inboxes that something pending concerns.
pub(super) fn pending_inboxes(cx: &Context<'_>) -> Set<String> {
    let mut inboxes = Set::new();
    (cx.others.recipients)(cx, &mut inboxes);
    inboxes
}

/// Lets inboxes go that something pending concerned once, while there are too many: they came
/// without anybody who was refused.
pub(super) fn let_rest_go(cx: &mut Context<'_>) -> Result<(), StoreError> {
    let writes = let_go(cx, 0);
    if writes.is_empty() {
        return Ok(());
    }
    cx.engine.write_beside(&writes)
}

/// Forgets those that were active least recently among the inboxes that nothing waits for, so that
/// there is room for so many more; returns the rows to write.
pub(super) fn let_go(cx: &mut Context<'_>, more: usize) -> Vec<Write> {
    let mut writes = Vec::new();
    if cx.memory.followers.by_inbox.len().saturating_add(more) <= FOLLOWERS {
        return writes;
    }
    let pending = pending_inboxes(cx);
    let idle = cx.memory.followers.by_inbox.iter();
    let idle = idle.filter(|(inbox, _)| !pending.contains(*inbox));
    let mut idle: Vec<_> = idle
        .map(|(inbox, follower)| (follower.active_at, follower.told, inbox.clone()))
        .collect();
    let excess = idle.len().saturating_add(more).saturating_sub(FOLLOWERS);
    idle.sort_unstable();
    for (_, _, inbox) in idle.into_iter().take(excess) {
        let follower = cx.memory.followers.by_inbox.remove(&inbox);
        // One without a row was told nothing.
        if follower.is_some_and(|follower| follower.is_kept) {
            writes.extend(parting(cx, &inbox, cx.engine.end));
            writes.push(FollowerWrite::Drop { inbox }.into());
        }
    }
    cx.memory.followers.reckon();
    writes
}

/// The news that there is nothing more.
pub(super) fn parting_news(cx: &Context<'_>, place: Place) -> News {
    News {
        session: cx.engine.id.clone(),
        epoch: cx.engine.epoch.as_str().to_owned(),
        begun_at: cx.engine.created_at.unwrap_or(cx.engine.now),
        place,
        about: None,
        items: Vec::new(),
        open: Vec::new(),
        away: None,
    }
}

/// The rows by which an inbox hears that it is told no more.
pub(super) fn parting(cx: &mut Context<'_>, inbox: &str, place: Place) -> Vec<Write> {
    let body = encode(&parting_news(cx, place));
    let parcel = |number: u64| Parcel {
        id: number.to_string(),
        body,
    };
    let (now, queue) = (cx.engine.now, &mut cx.memory.deliveries);
    let writes = queue.add(now, DeliveryKind::Inbox, inbox, None, parcel);
    writes.into_iter().map(Write::Delivery).collect()
}
