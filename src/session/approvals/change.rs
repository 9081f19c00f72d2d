//! Approvals change: every change but the request goes through [`change_approval`].

use crate::protocol::approval::{Approval, Event, Past};
use crate::protocol::frame::{ApprovalFrame, ServerFrame};
use crate::protocol::hooks::HookEvent;
use crate::protocol::ids::Timestamp;
use crate::session::approvals::shown::shown;
use crate::session::context::Context;
use crate::session::deliveries::hooks::{self, Subject};
use crate::session::engine::{Owner, Step, Wait};
use crate::store::ApprovalWrite;

/// Approvals wait for their deadlines and escalations.
pub(crate) const APPROVALS: Owner = Owner {
    name: "approvals",
    wait: Wait::Alarm,
};

/// A change of an approval, with its due time and its client.
pub(crate) struct Happening {
    pub(crate) event: Event,
    pub(crate) at: Timestamp,
    pub(crate) who: Option<String>,
}

/// Gives a change of a pending approval its place, stores it and sends its frame. An approval
/// settled by it is not pending any more.
pub(crate) fn change_approval(
    cx: &mut Context<'_>,
    step: &mut Step,
    id: &str,
    happening: Happening,
    change: impl FnOnce(&mut Approval),
) -> Option<Approval> {
    let version = cx.engine.next_place();
    let pending = cx.memory.approvals.get_mut(id)?;
    let approval = &mut pending.approval;
    change(approval);
    approval.version = version;
    approval.event = happening.event;
    approval.history.push(Past {
        at: happening.at,
        what: happening.event,
        who: happening.who,
        by: None,
    });
    let approval = approval.clone();
    if !approval.is_pending() {
        cx.memory.approvals.remove(id);
        step.settles = true;
    }
    tell(cx, step, &approval);
    Some(approval)
}

/// Stores a changed approval, and sends its frame.
pub(crate) fn tell(cx: &mut Context<'_>, step: &mut Step, approval: &Approval) {
    step.write(ApprovalWrite {
        approval: approval.clone(),
        client: step.by().map(str::to_owned),
        at: cx.engine.now,
    });
    step.tell(frame(cx, approval));
    let event = match approval.event {
        _ if !approval.is_pending() => Some(HookEvent::ApprovalSettle),
        Event::Request => Some(HookEvent::ApprovalRequest),
        _ => None,
    };
    let subject = Subject {
        approval: Some(&approval.id),
        turn: approval.turn.as_deref(),
        ..Subject::default()
    };
    if let Some(event) = event {
        hooks::tell(cx, step, event, subject);
    }
    cx.engine.state.clock.stir(APPROVALS);
}

/// The frame of the latest change of an approval (P8.5).
pub(crate) fn frame(cx: &Context<'_>, approval: &Approval) -> ServerFrame {
    ServerFrame::Approval(ApprovalFrame {
        r#type: approval.event,
        serial: cx.engine.epoch.at(approval.version),
        approval: Box::new(shown(cx, approval)),
    })
}
