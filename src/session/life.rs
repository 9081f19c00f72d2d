//! The end of the session: it is deleted, or has been idle for too long (P11.2).

use crate::protocol::capability::Operation;
use crate::protocol::hooks::HookEvent;
use crate::protocol::ids::Timestamp;
use crate::protocol::milestone::Milestone;
use crate::session::context::Context;
use crate::session::deliveries::hooks;
use crate::session::engine::{Error, News, Owner, Sender, Wait, after};
use crate::session::files::forget::forget_all as forget_files;
use crate::session::inboxes::part::part_all;
use crate::session::part::Part;
use crate::session::revocation::contact::inboxes;
use crate::session::waking::owe::forget_all;
use crate::store::{DeliveryKind, StoreError, Write};

/// Deletes the session: from now on every input is refused until the deletion is done.
pub(crate) fn erase(cx: &mut Context<'_>, sender: &Sender) -> Result<String, Error> {
    sender.must(Operation::Admin, "delete the session", &cx.engine.id)?;
    end(cx, "session.delete", Some(sender))?;
    Ok("{}".to_owned())
}

/// Ends the session and tells its hooks (P10.4). Pending deliveries are the only rows that remain.
fn end(
    cx: &mut Context<'_>,
    event: &'static str,
    sender: Option<&Sender>,
) -> Result<(), StoreError> {
    if let Some(created_at) = cx.engine.created_at {
        cx.engine.reach(Milestone {
            event,
            client: sender
                .map(|sender| sender.client.clone())
                .filter(|client| !client.is_empty()),
            ms: Some(cx.engine.now.saturating_sub(created_at)),
            ..Milestone::default()
        });
    }
    // The inputs that agents are still to take end with the session, and so do words for people
    // who are away.
    let mut told = forget_all(cx);
    let words = cx.memory.deliveries.forget_kind(DeliveryKind::Notice);
    told.extend(words.map(Write::Delivery));
    if cx.engine.created_at.is_some() {
        told.extend(hooks::rows(
            cx,
            HookEvent::SessionDelete,
            hooks::Subject::default(),
        ));
        let came = inboxes(cx.memory);
        told.extend(part_all(cx, came));
        told.extend(forget_files(cx)?);
    }
    if cx.memory.deliveries.is_empty() {
        cx.engine.end_life();
        return Ok(());
    }
    cx.engine.begin_anew(told)
}

/// The idle expiry of a session, as a part of it.
pub(super) struct Rest;

/// Idle expiry waits for the end of the session.
const REST: Owner = Owner {
    name: "rest",
    wait: Wait::Alarm,
};

impl Part for Rest {
    const OWNER: Option<Owner> = Some(REST);

    /// When the whole session expires; never while something is open (P11.2).
    fn due_at(cx: &Context<'_>) -> Timestamp {
        let is_at_rest = cx.engine.created_at.is_some() && !cx.engine.is_busy;
        let wait = cx.engine.settings.idle_expiry_ms.filter(|_| is_at_rest);
        let due = wait.map(|wait| after(cx.engine.written_at, wait));
        due.unwrap_or(Timestamp::MAX)
    }

    fn ring(cx: &mut Context<'_>) -> Result<(), StoreError> {
        if Self::due_at(cx) <= cx.engine.now {
            end(cx, "session.expire", None)?;
        }
        Ok(())
    }

    fn hear(cx: &mut Context<'_>, news: &News) -> Result<(), StoreError> {
        if news.is_settled || news.created.is_some() {
            cx.engine.state.clock.stir(REST);
        }
        Ok(())
    }
}
