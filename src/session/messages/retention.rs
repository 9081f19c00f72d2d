//! Retention: messages older than `retentionMs` are removed (P11.2).

use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{TRIM_KEPT, TRIM_MESSAGES, TRIM_MS, TRIM_ROWS};
use crate::protocol::serial::Place;
use crate::session::context::Context;
use crate::session::engine::{News, Owner, Wait, after};
use crate::session::part::Part;
use crate::session::waking::owe::forget;
use crate::store::{Aged, StoreError};

/// The oldest message that retention may remove.
fn oldest(cx: &Context<'_>) -> Result<Option<(Place, Timestamp)>, StoreError> {
    let oldest = |limit| {
        let aged = cx.engine.store.aged(limit)?.into_iter();
        let mut settled = aged.filter(|message| !message.is_held);
        Ok(settled
            .next()
            .map(|message| (message.place, message.created_at)))
    };
    // Usually the very first.
    match oldest(1)? {
        None => oldest(TRIM_KEPT + 1),
        found => Ok(found),
    }
}

/// Retention, as a part of the session.
pub(crate) struct Trimming;

/// Retention waits for the age of the oldest message that it may remove.
const RETENTION: Owner = Owner {
    name: "retention",
    wait: Wait::Alarm,
};

impl Part for Trimming {
    const OWNER: Option<Owner> = Some(RETENTION);

    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        find_oldest(cx)
    }

    fn due_at(cx: &Context<'_>) -> Timestamp {
        let oldest = cx.memory.retention.oldest;
        match cx.engine.settings.retention_ms.zip(oldest) {
            Some((wait, (_, created_at))) => after(created_at, wait).max(trims_at(cx)),
            None => Timestamp::MAX,
        }
    }

    fn ring(cx: &mut Context<'_>) -> Result<(), StoreError> {
        trim(cx)
    }

    fn hear(cx: &mut Context<'_>, news: &News) -> Result<(), StoreError> {
        if let Some(created) = &news.created {
            let created = (created.place, created.at);
            cx.memory.retention.oldest.get_or_insert(created);
            cx.engine.state.clock.stir(RETENTION);
        }
        if news.is_settled {
            find_oldest(cx)?;
            cx.engine.state.clock.stir(RETENTION);
        }
        Ok(())
    }
}

fn find_oldest(cx: &mut Context<'_>) -> Result<(), StoreError> {
    cx.memory.retention.oldest = match cx.engine.settings.retention_ms {
        Some(_) => oldest(cx)?,
        None => None,
    };
    Ok(())
}

/// When retention's next step is due.
fn trims_at(cx: &Context<'_>) -> Timestamp {
    let trimmed_at = cx.engine.trimmed_at;
    trimmed_at.map_or(Timestamp::MIN, |at| after(at, TRIM_MS))
}

/// P11.2: removes messages older than `retentionMs`, except streaming ones, in bounded steps, not
/// one by one.
fn trim(cx: &mut Context<'_>) -> Result<(), StoreError> {
    let now = cx.engine.now;
    let Some(wait) = cx.engine.settings.retention_ms else {
        return Ok(());
    };
    let is_old = |created_at: Timestamp| after(created_at, wait) <= now;
    let oldest = cx.memory.retention.oldest;
    let is_due = oldest.is_some_and(|(_, created_at)| is_old(created_at));
    if !is_due || now < trims_at(cx) {
        return Ok(());
    }
    cx.engine.settle()?;
    let gone = step(cx.engine.store.aged(TRIM_KEPT + TRIM_MESSAGES)?, is_old);
    if let Some(up_to) = gone.last() {
        let owed = forget(cx, &gone);
        cx.engine.trim(cx.engine.floor.max(*up_to), gone, owed)?;
    }
    find_oldest(cx)
}

/// The messages of one step of retention, oldest first: as many as its bound on rows allows, and
/// only while the messages to be kept can still be listed.
fn step(aged: Vec<Aged>, is_old: impl Fn(Timestamp) -> bool) -> Vec<Place> {
    let (mut kept, mut rows, mut gone) = (0, 0, Vec::new());
    for message in aged {
        if message.is_held {
            kept += 1;
            continue;
        }
        rows += 1 + message.rows;
        let is_much = TRIM_ROWS < rows && !gone.is_empty();
        let is_full = TRIM_MESSAGES <= gone.len() || TRIM_KEPT < kept;
        if is_much || is_full || !is_old(message.created_at) {
            break;
        }
        gone.push(message.place);
    }
    gone
}
