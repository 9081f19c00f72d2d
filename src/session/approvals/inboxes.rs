//! The inboxes that an approval concerns (P15).

use crate::ordered::Set;
use crate::protocol::approval::Approval;
use crate::protocol::frame::encode;
use crate::protocol::limits::NEWS_ITEMS;
use crate::protocol::news::{Item, ItemKind, Telling};
use crate::session::approvals::shown::shown;
use crate::session::context::Context;
use crate::store::StoreError;

/// The inbox of those who decide what nobody in particular was asked.
const SUPERVISORS: &str = "role:supervisor";

/// The inboxes that an approval concerns: of those asked by name, else of the client whose message
/// the turn answers, else of the supervisors.
fn inboxes(approval: &Approval) -> impl Iterator<Item = String> {
    let named = approval.asked.assignees.iter();
    let named = named.map(|assignee| match assignee.starts_with("role:") {
        true => assignee.clone(),
        false => format!("client:{assignee}"),
    });
    let asker = approval.asker.as_ref();
    let asker = asker.map_or_else(|| SUPERVISORS.to_owned(), |asker| format!("client:{asker}"));
    named.chain(approval.is_open.then_some(asker))
}

/// Adds the inboxes that pending approvals concern.
pub(super) fn recipients(cx: &Context<'_>, into: &mut Set<String>) {
    for pending in cx.memory.approvals.values() {
        into.extend(inboxes(&pending.approval));
    }
}

/// Adds the approvals that an inbox is told of.
pub(super) fn tell(cx: &Context<'_>, telling: &mut Telling<'_>) -> Result<(), StoreError> {
    const KIND: ItemKind = ItemKind::Approval;
    let concerns = |approval: &Approval| inboxes(approval).any(|inbox| inbox == telling.inbox);
    let pending = cx.memory.approvals.values();
    let pending = pending.map(|pending| &pending.approval);
    let open = pending.clone().filter(|approval| concerns(approval));
    let open = open.map(|approval| approval.id.clone()).collect();
    let changed = match telling.is_recent {
        true => cx
            .engine
            .store
            .changed_approvals(telling.told, NEWS_ITEMS)?,
        false => {
            let newer = pending.filter(|approval| telling.told < approval.version);
            newer.cloned().collect()
        }
    };
    let read = (changed.len(), changed.last().map(|it| it.version));
    let items = changed.iter().filter(|approval| concerns(approval));
    let items = items.filter_map(|it| {
        let body = encode(&shown(cx, it));
        let item = Item::new(KIND, &it.id, it.is_pending(), it.created_at, body)?;
        Some((it.version, item))
    });
    let items = items.collect();
    telling.about.pending_approvals = cx.memory.approvals.len();
    let read = if telling.is_recent { read } else { (0, None) };
    telling.add(KIND, open, items, read);
    Ok(())
}
