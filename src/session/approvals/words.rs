//! People answer in words: an input dismisses the approvals that wish so (P8.7).

use crate::protocol::approval::{Approval, Decision, Event, OnMessage, Verdict};
use crate::protocol::capability::Operation;
use crate::protocol::serial::Place;
use crate::session::approvals::change::{Happening, change_approval};
use crate::session::approvals::rights::may_decide;
use crate::session::approvals::shown::ids_in_order;
use crate::session::context::Context;
use crate::session::engine::{Sender, Step};
use crate::session::turns::waiting::go_on;
use crate::store::StoreError;

/// Dismisses, in the step of an input, the approvals that its sender may decide; their turns go on.
/// Nothing of these turns may be pending.
pub(crate) fn dismiss_by_input(
    cx: &mut Context<'_>,
    step: &mut Step,
    sender: &Sender,
    input: Place,
) -> Result<(), StoreError> {
    if cx.memory.approvals.is_empty() || !sender.operations.contains(Operation::Approve) {
        return Ok(());
    }
    let is_meant = |approval: &Approval| {
        approval.asked.on_message == OnMessage::Dismiss && may_decide(approval, sender)
    };
    for id in ids_in_order(cx, is_meant) {
        let happening = Happening {
            event: Event::Decide,
            at: cx.engine.now,
            who: Some(sender.client.clone()),
        };
        let comment = cx.engine.epoch.at(input).to_string();
        let dismissed = change_approval(cx, step, &id, happening, |approval| {
            approval.status = Decision::Dismiss.status();
            approval.verdict = Verdict {
                decision: Some(Decision::Dismiss),
                comment: Some(comment),
                ..Verdict::default()
            };
        });
        if let Some(turn) = dismissed.and_then(|approval| approval.turn) {
            go_on(cx, step, &turn)?;
        }
    }
    Ok(())
}
