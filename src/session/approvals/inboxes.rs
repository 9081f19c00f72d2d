//! The inboxes that an approval concerns (P15).

use crate::ordered::Set;
use crate::protocol::approval::Approval;
use crate::protocol::frame::encode;
use crate::protocol::news::Telling;
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
    telling.about.pending_approvals = cx.memory.approvals.len();
    let pending = cx
        .memory
        .approvals
        .values()
        .map(|pending| &pending.approval);
    telling.add_askings(
        pending,
        |since, most| cx.engine.store.changed_approvals(since, most),
        |approval, inbox| inboxes(approval).any(|own| own == inbox),
        |approval| encode(&shown(cx, approval)),
    )
}
