//! The inboxes that an approval concerns (P15).

use std::collections::BTreeSet;

use crate::protocol::approval::Approval;
use crate::protocol::frame::encode;
use crate::protocol::limits::NEWS_ITEMS;
use crate::protocol::news::{Item, ItemKind, Telling};
use crate::session::approvals::shown::shown;
use crate::session::context::{Context, Memory};
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
pub(super) fn recipients(memory: &Memory, into: &mut BTreeSet<String>) {
    for pending in memory.approvals.values() {
        into.extend(inboxes(&pending.approval));
    }
}

/// Adds the approvals that an inbox is told of.
pub(super) fn tell(cx: &Context<'_>, telling: &mut Telling<'_>) -> Result<(), StoreError> {
    let concerns = |approval: &Approval| inboxes(approval).any(|inbox| inbox == telling.inbox);
    let pending = cx.memory.approvals.values();
    let pending = pending.map(|pending| &pending.approval);
    let (told, mut up_to) = (telling.told, telling.up_to);
    let open = pending.clone().filter(|approval| concerns(approval));
    let open = open.map(|approval| (ItemKind::Approval, approval.id.clone()));
    let changed: Vec<Approval> = if telling.is_recent {
        let changed = cx.engine.store.changed_approvals(told, NEWS_ITEMS)?;
        if let Some(last) = changed.get(NEWS_ITEMS - 1) {
            up_to = up_to.min(last.version);
        }
        changed
    } else {
        let newer = pending.filter(|approval| told < approval.version);
        newer.cloned().collect()
    };
    let open: Vec<_> = open.collect();
    let items = changed.iter().filter(|approval| concerns(approval));
    let items = items.filter_map(|approval| Some((approval.version, item(cx, approval)?)));
    let items: Vec<_> = items.collect();
    telling.about.pending_approvals = cx.memory.approvals.len();
    telling.up_to = up_to;
    telling.open.extend(open);
    telling.items.extend(items);
    Ok(())
}

fn item(cx: &Context<'_>, approval: &Approval) -> Option<Item> {
    Some(Item {
        kind: ItemKind::Approval,
        id: approval.id.clone(),
        is_open: approval.is_pending(),
        at: approval.created_at,
        body: serde_json::value::RawValue::from_string(encode(&shown(cx, approval))).ok()?,
    })
}
