//! An agent asks a person (P8.1).

use crate::protocol::approval::{Approval, Event, Past, Status, Verdict};
use crate::protocol::decode::RequestApproval;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::limits::{PENDING_APPROVAL_BYTES, PENDING_APPROVALS};
use crate::session::approvals::change::tell;
use crate::session::approvals::grants::settle_by_grant;
use crate::session::approvals::shown::{answer, find};
use crate::session::approvals::state::PendingApproval;
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Sender, after, check_pending};
use crate::session::turns::leader::{Claim, check_leader};
use crate::session::turns::lease::renew_lease;
use crate::session::turns::waiting::{asker, suspend_for};

const VERB: &str = "ask for approval";
/// Approvals that may be pending, and their bytes.
const MOST: (usize, usize) = (PENDING_APPROVALS, PENDING_APPROVAL_BYTES);
/// The prefix of ids made by the session, followed by the serial of the approval.
const NAME: &str = "approval-";
/// The reason of a turn that waits for an approval.
pub(super) const REASON: &str = "approval";

/// `approval.request`: the turn is suspended in the same step.
pub(crate) fn request(
    cx: &mut Context<'_>,
    sender: &Sender,
    request: RequestApproval,
) -> Result<Answer, Error> {
    if let Some(id) = &request.id
        && let Some(known) = find(cx, id)?
    {
        if known.client != sender.client || known.turn != request.turn {
            let message = format!("unable to {VERB}; {id} is another approval");
            return Err(ErrorInfo::new(ErrorCode::Conflict, message).into());
        }
        return Ok(answer(cx, &known, true));
    }
    cx.engine.check_own_id(VERB, NAME, request.id.as_deref())?;
    let turn = request.turn.clone();
    if let Some(turn) = &turn {
        let claim = Claim {
            verb: VERB,
            sender,
            attempt: request.attempt,
        };
        check_leader(cx, &claim, turn)?;
    }
    cx.engine.check_form(VERB, request.asked.schema.as_ref())?;
    cx.engine.check_room(VERB)?;
    let asker = asker(cx, turn.as_deref())?;
    let mut approval = approval(cx, sender, request, asker);
    settle_by_grant(cx, &mut approval);
    let pending = PendingApproval::new(approval);
    let is_pending = pending.approval.is_pending();
    if is_pending {
        let others = cx.memory.approvals.values().map(|pending| pending.bytes);
        check_pending(VERB, "approvals", others, pending.bytes, MOST)?;
        cx.check_named(VERB, pending.approval.named())?;
    }
    cx.engine.settle()?;
    let mut step = cx.engine.step_by(sender);
    let place = cx.engine.next_place();
    step.stands_for(place);
    let approval = pending.approval.clone();
    if is_pending {
        cx.memory.approvals.insert(approval.id.clone(), pending);
    }
    tell(cx, &mut step, &approval);
    if let Some(turn) = turn.as_ref().filter(|_| is_pending) {
        suspend_for(cx, &mut step, turn, REASON);
    }
    cx.engine.commit(step)?;
    if let Some(turn) = &turn {
        renew_lease(cx, sender, turn)?;
    }
    Ok(answer(cx, &approval, false))
}

/// The approval as it begins with the next entry.
fn approval(
    cx: &Context<'_>,
    sender: &Sender,
    request: RequestApproval,
    asker: Option<String>,
) -> Approval {
    let (place, now) = (cx.engine.end + 1, cx.engine.now);
    let id = request.id;
    Approval {
        place,
        version: place,
        event: Event::Request,
        id: id.unwrap_or_else(|| format!("{NAME}{}", cx.engine.epoch.at(place))),
        turn: request.turn,
        client: sender.client.clone(),
        asker,
        is_open: request.asked.assignees.is_empty(),
        asked: request.asked,
        deadline_at: request.deadline_ms.map(|wait| after(now, wait)),
        escalate: request.escalate,
        status: Status::Pending,
        verdict: Verdict::default(),
        history: vec![Past {
            at: now,
            what: Event::Request,
            who: Some(sender.client.clone()),
            by: None,
        }],
        created_at: now,
    }
}
