//! Files as a part of the session: those that broke off go, and those that are too old.

use crate::protocol::ids::Timestamp;
use crate::protocol::limits::FILES_FORGOTTEN;
use crate::session::context::Context;
use crate::session::engine::{News, Owner, after};
use crate::session::files::clock::{FILES, broken_at, stir_files};
use crate::session::files::forget::forget;
use crate::session::part::Part;
use crate::store::StoreError;

/// Files, as a part of the session.
pub(crate) struct Kept;

impl Part for Kept {
    const OWNER: Option<Owner> = Some(FILES);

    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        for (id, at) in cx.engine.store.arriving()? {
            cx.memory.files.arriving.insert(id, at);
        }
        find_oldest(cx)
    }

    fn due_at(cx: &Context<'_>) -> Timestamp {
        let broken = cx.memory.files.arriving.values().copied().min();
        let broken = broken.map(|at| broken_at(cx, at));
        let wait = cx.engine.settings.retention_ms;
        let old = wait.zip(cx.memory.files.oldest);
        let old = old.map(|(wait, at)| after(at, wait));
        broken
            .into_iter()
            .chain(old)
            .min()
            .unwrap_or(Timestamp::MAX)
    }

    fn ring(cx: &mut Context<'_>) -> Result<(), StoreError> {
        let now = cx.engine.now;
        let mut gone: Vec<String> = Vec::new();
        for (id, at) in &cx.memory.files.arriving {
            if broken_at(cx, *at) <= now {
                gone.push(id.clone());
            }
        }
        if let Some(wait) = cx.engine.settings.retention_ms {
            let oldest = cx.engine.store.oldest_files(FILES_FORGOTTEN)?;
            let old = oldest.into_iter().filter(|(_, at)| after(*at, wait) <= now);
            let old = old.map(|(id, _)| id);
            // One that still arrives has its own time.
            gone.extend(old.filter(|id| !cx.memory.files.arriving.contains_key(id)));
        }
        if gone.is_empty() {
            return find_oldest(cx);
        }
        let mut step = cx.engine.step();
        forget(cx, &mut step, &gone);
        cx.engine.commit(step)?;
        find_oldest(cx)
    }

    fn hear(cx: &mut Context<'_>, news: &News) -> Result<(), StoreError> {
        let is_kept_for_long = cx.engine.settings.retention_ms.is_none();
        let is_known = is_kept_for_long && cx.memory.files.oldest.is_none();
        if news.is_settled && !is_known && cx.engine.store.has_files()? {
            find_oldest(cx)?;
            stir_files(cx);
        }
        Ok(())
    }
}

/// The oldest file that is whole, where retention asks for it.
fn find_oldest(cx: &mut Context<'_>) -> Result<(), StoreError> {
    let mut oldest = None;
    if cx.engine.settings.retention_ms.is_some() {
        let arriving = &cx.memory.files.arriving;
        let first = cx.engine.store.oldest_files(arriving.len() + 1)?;
        let mut whole = first.into_iter();
        oldest = whole.find(|(id, _)| !arriving.contains_key(id));
    }
    cx.memory.files.oldest = oldest.map(|(_, at)| at);
    Ok(())
}
