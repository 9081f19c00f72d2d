//! Approvals are decided, once, or taken back (P8.2).

use crate::protocol::approval::{Approval, Decision, Event, Kind, Status};
use crate::protocol::decode::{DecideApproval, WithdrawApproval};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::grant::Grant;
use crate::session::approvals::change::{Happening, change_approval};
use crate::session::approvals::grants::{granted, remember};
use crate::session::approvals::rights::check_decider;
use crate::session::approvals::shown::{already_decided, answer, existing};
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Known, Sender};
use crate::session::turns::leader::{Claim, check_leader};
use crate::session::turns::waiting::go_on;
use crate::store::StoreError;

const DECIDE: &str = "decide the approval";
const WITHDRAW: &str = "withdraw the approval";

/// Answers an `approval.decide` whose id was taken before.
pub(crate) fn repeat(
    cx: &mut Context<'_>,
    decide: &DecideApproval,
    known: &Known,
) -> Result<Answer, Error> {
    repeat_by_id(cx, &decide.approval, known)
}

/// Answers an `approval.withdraw` whose id was taken before.
pub(crate) fn repeat_withdraw(
    cx: &mut Context<'_>,
    withdraw: &WithdrawApproval,
    known: &Known,
) -> Result<Answer, Error> {
    repeat_by_id(cx, &withdraw.approval, known)
}

fn repeat_by_id(cx: &Context<'_>, id: &str, known: &Known) -> Result<Answer, Error> {
    let approval = existing(cx, known.verb, id)?;
    known.must_be(approval.place)?;
    Ok(answer(cx, &approval, true))
}

/// `approval.decide`: exactly one decision wins.
pub(crate) fn decide(
    cx: &mut Context<'_>,
    sender: &Sender,
    decide: DecideApproval,
) -> Result<Answer, Error> {
    let approval = existing(cx, DECIDE, &decide.approval)?;
    check_decider(DECIDE, &approval, sender)?;
    if !approval.is_pending() {
        return Err(already_decided(cx, DECIDE, &approval).into());
    }
    check_answer(&approval, &decide)?;
    if let Some(data) = &decide.data {
        let form = approval.asked.schema.as_ref();
        cx.engine.check_fit(DECIDE, form, "data", data)?;
    }
    let grant = granted(cx, DECIDE, &approval, sender, &decide)?;
    let verdict = decide.verdict();
    let event = Event::Decide;
    settle(cx, sender, &approval, event, grant, |approval| {
        approval.status = verdict.decision.map_or(approval.status, Decision::status);
        approval.verdict = verdict;
    })
}

/// `approval.withdraw`, by the client that asked.
pub(crate) fn withdraw(
    cx: &mut Context<'_>,
    sender: &Sender,
    withdraw: WithdrawApproval,
) -> Result<Answer, Error> {
    let approval = existing(cx, WITHDRAW, &withdraw.approval)?;
    if approval.client != sender.client {
        let (id, client) = (&approval.id, &approval.client);
        let message = format!("unable to {WITHDRAW}; {client} asked for approval {id}");
        return Err(ErrorInfo::new(ErrorCode::Forbidden, message).into());
    }
    if !approval.is_pending() {
        return Err(already_decided(cx, WITHDRAW, &approval).into());
    }
    if let Some(turn) = &approval.turn {
        let claim = Claim {
            verb: WITHDRAW,
            sender,
            attempt: withdraw.attempt,
        };
        check_leader(cx, &claim, turn)?;
    }
    let event = Event::Withdraw;
    settle(cx, sender, &approval, event, None, |approval| {
        approval.status = Status::Withdrawn;
    })
}

/// Settles a pending approval in a step of its own; its turn goes on with it if it was the last.
fn settle(
    cx: &mut Context<'_>,
    sender: &Sender,
    approval: &Approval,
    event: Event,
    grant: Option<Grant>,
    change: impl FnOnce(&mut Approval),
) -> Result<Answer, Error> {
    cx.engine.settle()?;
    let mut step = cx.engine.step_by(sender);
    step.stands_for(approval.place);
    let happening = Happening {
        event,
        at: cx.engine.now,
        who: Some(sender.client.clone()),
    };
    let settled = change_approval(cx, &mut step, &approval.id, happening, change);
    if let Some(grant) = grant {
        remember(cx, &mut step, grant);
    }
    if let Some(turn) = &approval.turn {
        go_on(cx, &mut step, turn)?;
    }
    cx.engine.commit(step)?;
    let missing = || StoreError("the approval that was settled is not there".into());
    Ok(answer(cx, &settled.ok_or_else(missing)?, false))
}

/// Whether a decision is one that the approval takes.
fn check_answer(approval: &Approval, decide: &DecideApproval) -> Result<(), ErrorInfo> {
    let refused = |code, reason: &str| {
        let message = format!("unable to {DECIDE}; {reason}");
        Err(ErrorInfo::new(code, message))
    };
    let kind = approval.asked.kind;
    let fits = match decide.decision {
        Decision::Approve | Decision::Reject => kind == Kind::Approval,
        Decision::Answer => kind == Kind::Question,
        Decision::Dismiss => true,
    };
    if !fits {
        let reason = match kind {
            Kind::Approval => "an approval takes approve, reject or dismiss",
            Kind::Question => "a question takes answer or dismiss",
        };
        return refused(ErrorCode::InvalidFrame, reason);
    }
    let is_answer = decide.decision == Decision::Answer;
    if decide.option.is_some() && !is_answer {
        return refused(ErrorCode::InvalidFrame, "option goes with answer");
    }
    if decide.data.is_some() && decide.decision == Decision::Dismiss {
        return refused(ErrorCode::InvalidFrame, "data does not go with dismiss");
    }
    if is_answer && decide.option.is_none() && decide.data.is_none() {
        let reason = "an answer has option, data or both";
        return refused(ErrorCode::InvalidAnswer, reason);
    }
    let mut options = approval.asked.options.iter();
    match &decide.option {
        Some(id) if !options.any(|option| option.id == *id) => {
            let reason = format!("{id:?} is none of its options");
            refused(ErrorCode::InvalidAnswer, &reason)
        }
        Some(_) | None => Ok(()),
    }
}
