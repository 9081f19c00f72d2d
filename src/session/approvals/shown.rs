//! Approvals as shown, and their look-up.

use crate::protocol::approval::Approval;
use crate::protocol::approval_shown::Shown;
use crate::protocol::data::Data;
use crate::protocol::error::{Details, ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, encode};
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, in_order};
use crate::store::StoreError;

/// An approval as shown to readers.
pub(crate) fn shown(cx: &Context<'_>, approval: &Approval) -> Shown {
    approval.shown(&cx.engine.id, cx.engine.epoch)
}

/// Pending approvals, in the order in which they were asked for.
pub(super) fn pending_in_order<'a>(
    cx: &'a Context<'_>,
    is_meant: impl Fn(&Approval) -> bool,
) -> Vec<&'a Approval> {
    let pending = cx.memory.approvals.values();
    let pending = pending.map(|pending| &pending.approval);
    let meant = pending.filter(|approval| is_meant(approval));
    in_order(meant, |approval| approval.place)
}

/// The ids of the same.
pub(super) fn ids_in_order(cx: &Context<'_>, is_meant: impl Fn(&Approval) -> bool) -> Vec<String> {
    let pending = pending_in_order(cx, is_meant).into_iter();
    pending.map(|approval| approval.id.clone()).collect()
}

/// An approval by its id, pending or settled.
pub(crate) fn find(cx: &Context<'_>, id: &str) -> Result<Option<Approval>, StoreError> {
    match cx.memory.approvals.get(id) {
        Some(pending) => Ok(Some(pending.approval.clone())),
        None => cx.engine.store.settled_approval(id),
    }
}

/// An approval by its id, which must exist.
pub(crate) fn existing(cx: &Context<'_>, verb: &str, id: &str) -> Result<Approval, Error> {
    let missing = || {
        let message = format!("unable to {verb}; there is no approval {id}");
        ErrorInfo::new(ErrorCode::NotFound, message)
    };
    Ok(find(cx, id)?.ok_or_else(missing)?)
}

/// The answer to a frame about an approval.
pub(crate) fn answer(cx: &Context<'_>, approval: &Approval, duplicate: bool) -> Answer {
    let approval = Box::new(shown(cx, approval));
    Answer::Now(Outcome::Approval {
        approval,
        duplicate,
    })
}

/// The refusal of a late decision, with the earlier one (P8.2).
pub(crate) fn already_decided(cx: &Context<'_>, verb: &str, approval: &Approval) -> ErrorInfo {
    let status = serde_json::json!(approval.status);
    let status = status.as_str().unwrap_or_default();
    let message = format!("unable to {verb}; approval {} is {status}", approval.id);
    let approval = Data::from_json(encode(&shown(cx, approval)));
    ErrorInfo {
        details: approval.map(|approval| Details::Decided { approval }),
        ..ErrorInfo::new(ErrorCode::AlreadyDecided, message)
    }
}
