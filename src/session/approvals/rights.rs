//! The right to decide (P8.2).

use crate::protocol::approval::Approval;
use crate::protocol::capability::{Operation, Role};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::session::engine::Sender;

/// Whether a client with `approve` may decide an approval.
pub(super) fn may_decide(approval: &Approval, sender: &Sender) -> bool {
    let mut assignees = approval.asked.assignees.iter();
    let is_assignee = assignees.any(|assignee| sender.is(assignee));
    is_assignee || approval.is_open && may_decide_open(approval, sender)
}

/// Whether a client may decide an approval without assignees: in a turn that answers a client, that
/// client and supervisors.
fn may_decide_open(approval: &Approval, sender: &Sender) -> bool {
    let watches = sender.role == Role::Supervisor || sender.operations.contains(Operation::Admin);
    let asker = approval.asker.as_ref();
    watches || asker.is_none_or(|asker| *asker == sender.client)
}

/// Refuses a client that may not decide.
pub(crate) fn check_decider(
    verb: &str,
    approval: &Approval,
    sender: &Sender,
) -> Result<(), ErrorInfo> {
    if may_decide(approval, sender) {
        return Ok(());
    }
    let (id, assignees) = (&approval.id, approval.asked.assignees.join(", "));
    let open = match approval.asker.as_ref().filter(|_| approval.is_open) {
        Some(asker) => format!("{asker}, supervisors and administrators may"),
        None => String::new(),
    };
    let named = match assignees.is_empty() {
        true => open,
        false if open.is_empty() => format!("it was asked of {assignees}"),
        false => format!("{open}, and it was asked of {assignees}"),
    };
    let client = &sender.client;
    let message = format!("unable to {verb}; {client} may not decide approval {id}, {named}");
    Err(ErrorInfo::new(ErrorCode::Forbidden, message))
}
