//! Pending approvals as a part of the session: the clock brings deadlines and escalations (P8.3).

use crate::ordered::Set;
use crate::protocol::approval::{Approval, Decision, Event, OnDeadline, Status};
use crate::protocol::approval_shown::Shown;
use crate::protocol::frame::{Lists, ServerFrame};
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{LIST_BYTES, PAGE_BYTES};
use crate::protocol::news::Telling;
use crate::protocol::serial::Place;
use crate::protocol::snapshot::Snapshot;
use crate::session::approvals::ask::REASON;
use crate::session::approvals::change::{APPROVALS, Happening, change_approval, frame};
use crate::session::approvals::inboxes;
use crate::session::approvals::shown::{ids_in_order, pending_in_order, shown};
use crate::session::approvals::state::PendingApproval;
use crate::session::context::{Asked, Context, Memory};
use crate::session::engine::{Live, Owner, Step, brief};
use crate::session::part::Part;
use crate::session::turns::waiting::{first_due, go_on};
use crate::store::StoreError;

/// Pending approvals, as a part of the session.
pub(crate) struct Pending;

impl Part for Pending {
    const OWNER: Option<Owner> = Some(APPROVALS);

    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        let pending = cx.engine.store.pending_approvals()?.into_iter();
        let pending = pending.map(|approval| (approval.id.clone(), PendingApproval::new(approval)));
        cx.memory.approvals = pending.collect();
        Ok(())
    }

    fn due_at(cx: &Context<'_>) -> Timestamp {
        let pending = cx.memory.approvals.values();
        let due = pending.map(|pending| due(&pending.approval).0);
        due.min().unwrap_or(Timestamp::MAX)
    }

    fn ring(cx: &mut Context<'_>) -> Result<(), StoreError> {
        pass_due(cx)
    }

    fn is_busy(memory: &Memory) -> bool {
        !memory.approvals.is_empty()
    }

    fn asked(memory: &Memory, turn: &str) -> Option<Asked> {
        let pending = memory.approvals.values().map(|pending| &pending.approval);
        let of_turn = pending.filter(|approval| approval.turn.as_deref() == Some(turn));
        let first = of_turn.min_by_key(|approval| approval.place)?;
        Some(Asked {
            place: first.place,
            at: first.created_at,
            reason: REASON,
        })
    }

    fn turn_ends(cx: &mut Context<'_>, step: &mut Step, turn: &str) -> Result<(), StoreError> {
        for id in ids_in_order(cx, |approval| approval.turn.as_deref() == Some(turn)) {
            let happening = Happening {
                event: Event::Withdraw,
                at: cx.engine.now,
                who: None,
            };
            change_approval(cx, step, &id, happening, |approval| {
                approval.status = Status::Withdrawn;
            });
        }
        Ok(())
    }

    fn recipients(cx: &Context<'_>, into: &mut Set<String>) {
        inboxes::recipients(cx, into);
    }

    fn named<'a>(cx: &'a Context<'_>, names: &mut Vec<&'a str>) {
        let pending = cx.memory.approvals.values();
        names.extend(pending.flat_map(|pending| pending.approval.named()));
    }

    fn tell(cx: &Context<'_>, telling: &mut Telling<'_>) -> Result<(), StoreError> {
        inboxes::tell(cx, telling)
    }

    fn attached(cx: &Context<'_>, _: &mut Live, lists: &mut Lists) {
        lists.approvals = list(cx, LIST_BYTES);
    }

    fn snapshot(cx: &Context<'_>, snapshot: &mut Snapshot<'_>) {
        snapshot.approvals = list(cx, PAGE_BYTES);
    }

    fn changed_since(
        cx: &Context<'_>,
        since: Place,
        limit: usize,
    ) -> Result<Vec<ServerFrame>, StoreError> {
        let changed = cx.engine.store.changed_approvals(since, limit)?;
        Ok(changed.iter().map(|approval| frame(cx, approval)).collect())
    }
}

/// The pending approvals as everybody sees them, unless they are too long.
fn list(cx: &Context<'_>, most: usize) -> Option<Vec<Shown>> {
    let pending = pending_in_order(cx, |_| true).into_iter();
    brief(pending.map(|approval| shown(cx, approval)), most)
}

/// An approval's next event by the clock, and its time. A deadline comes before an escalation of
/// the same time.
fn due(approval: &Approval) -> (Timestamp, Event) {
    let deadline = approval.deadline_at.unwrap_or(Timestamp::MAX);
    match approval.escalates_at() {
        Some(at) if at < deadline => (at, Event::Escalate),
        Some(_) | None => (deadline, Event::Expire),
    }
}

/// Handles everything that is due, in the order of its times: the history is the same, however late
/// the alarm rings.
fn pass_due(cx: &mut Context<'_>) -> Result<(), StoreError> {
    if next_due(cx).is_none() {
        return Ok(());
    }
    cx.engine.settle()?;
    let mut step = cx.engine.step();
    while let Some((at, event, id)) = next_due(cx) {
        let turn = cx.memory.approvals.get(&id);
        let turn = turn.and_then(|pending| pending.approval.turn.clone());
        let happening = Happening {
            event,
            at,
            who: None,
        };
        change_approval(cx, &mut step, &id, happening, |approval| match event {
            Event::Escalate => escalate(approval),
            _ => expire(approval),
        });
        if let Some(turn) = turn {
            go_on(cx, &mut step, &turn)?;
        }
    }
    cx.engine.commit(step)
}

/// The first event that is due of all pending approvals.
fn next_due(cx: &Context<'_>) -> Option<(Timestamp, Event, String)> {
    let pending = cx.memory.approvals.values().map(|it| &it.approval);
    first_due(cx, pending.map(|approval| (due(approval), approval)))
}

/// More people are asked.
fn escalate(approval: &mut Approval) {
    if approval.escalate.is_empty() {
        return;
    }
    let next = approval.escalate.remove(0);
    for assignee in next.assignees {
        if !approval.asked.assignees.contains(&assignee) {
            approval.asked.assignees.push(assignee);
        }
    }
}

/// The deadline passed, and decides as the requester wished.
fn expire(approval: &mut Approval) {
    let decision = match &approval.asked.on_deadline {
        OnDeadline::Expire => None,
        OnDeadline::Approve => Some(Decision::Approve),
        OnDeadline::Reject => Some(Decision::Reject),
        OnDeadline::Option(id) => {
            approval.verdict.option = Some(id.clone());
            Some(Decision::Answer)
        }
    };
    approval.verdict.decision = decision;
    approval.status = decision.map_or(Status::Expired, Decision::status);
}
