//! A call is settled by its device, once, or taken back by its agent (P8.9).

use crate::protocol::call::{Call, Event, Returned, Status};
use crate::protocol::data::Data;
use crate::protocol::decode::{SettleCall, WithdrawCall};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::session::calls::change::change_call;
use crate::session::calls::claim::is_holder;
use crate::session::calls::shown::{already_settled, answer, claimed, existing};
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Known, Sender};
use crate::session::turns::leader::{Claim, check_leader};
use crate::session::turns::waiting::go_on;
use crate::store::StoreError;

const SETTLE: &str = "settle the call";
const WITHDRAW: &str = "withdraw the call";

/// Answers a `tool.result` whose id was taken before.
pub(crate) fn repeat(
    cx: &mut Context<'_>,
    settle: &SettleCall,
    known: &Known,
) -> Result<Answer, Error> {
    repeat_by_id(cx, &settle.call, known)
}

/// Answers a `tool.withdraw` whose id was taken before.
pub(crate) fn repeat_withdraw(
    cx: &mut Context<'_>,
    withdraw: &WithdrawCall,
    known: &Known,
) -> Result<Answer, Error> {
    repeat_by_id(cx, &withdraw.call, known)
}

fn repeat_by_id(cx: &Context<'_>, id: &str, known: &Known) -> Result<Answer, Error> {
    let call = existing(cx, known.verb, id)?;
    known.must_be(call.place)?;
    Ok(answer(cx, &call, true))
}

/// `tool.result`, by the device that holds the call.
pub(crate) fn settle(
    cx: &mut Context<'_>,
    sender: &Sender,
    settle: SettleCall,
) -> Result<Answer, Error> {
    let call = existing(cx, SETTLE, &settle.call)?;
    if is_said_again(&call, sender, &settle.returned) {
        return Ok(answer(cx, &call, true));
    }
    if !call.is_pending() {
        return Err(already_settled(cx, SETTLE, &call).into());
    }
    check_holder(&call, sender, settle.claim.as_deref())?;
    if let Some(form) = &call.called.schema
        && settle.returned.error.is_none()
    {
        let nothing = Data::from_json("null".to_owned());
        let output = settle.returned.output.as_ref().or(nothing.as_ref());
        if let Some(output) = output {
            cx.engine.check_fit(SETTLE, Some(form), "output", output)?;
        }
    }
    let returned = settle.returned;
    end(cx, sender, &call, Event::Result, |call| {
        call.status = returned.status();
        call.returned = returned;
        // The device that settles an open call had claimed it before.
        call.is_held = true;
    })
}

/// `tool.withdraw`, by the agent that leads the turn.
pub(crate) fn withdraw(
    cx: &mut Context<'_>,
    sender: &Sender,
    withdraw: WithdrawCall,
) -> Result<Answer, Error> {
    let call = existing(cx, WITHDRAW, &withdraw.call)?;
    if call.client == sender.client && call.status == Status::Withdrawn {
        return Ok(answer(cx, &call, true));
    }
    if !call.is_pending() {
        return Err(already_settled(cx, WITHDRAW, &call).into());
    }
    let claim = Claim {
        verb: WITHDRAW,
        sender,
        attempt: withdraw.attempt,
    };
    check_leader(cx, &claim, &call.turn)?;
    end(cx, sender, &call, Event::Expire, |call| {
        call.status = Status::Withdrawn;
        call.is_held = false;
    })
}

/// Settles a pending call in a step of its own; its turn goes on with it if it was the last that
/// the turn waited for.
fn end(
    cx: &mut Context<'_>,
    sender: &Sender,
    call: &Call,
    event: Event,
    change: impl FnOnce(&mut Call),
) -> Result<Answer, Error> {
    cx.engine.settle()?;
    let mut step = cx.engine.step_by(sender);
    step.stands_for(call.place);
    let settled = change_call(cx, &mut step, &call.id, event, change);
    if call.called.suspend {
        go_on(cx, &mut step, &call.turn)?;
    }
    cx.engine.commit(step)?;
    let missing = || StoreError("the call that was settled is not there".into());
    Ok(answer(cx, &settled.ok_or_else(missing)?, false))
}

/// Whether a device only says again how it has settled the call: its answer may have been lost with
/// its connection.
fn is_said_again(call: &Call, sender: &Sender, returned: &Returned) -> bool {
    let claim = call.held().filter(|_| !call.is_pending());
    claim.is_some_and(|claim| claim.client == sender.client) && call.returned == *returned
}

/// Refuses everybody but the holder. Once the claim has ended, its client may still bring the
/// result, unless somebody has claimed the call since.
fn check_holder(call: &Call, sender: &Sender, id: Option<&str>) -> Result<(), ErrorInfo> {
    if let Some(held) = call.held() {
        return match is_holder(held, sender, id) {
            true => Ok(()),
            false => Err(claimed(SETTLE, call, held)),
        };
    }
    let is_last = call.claim.as_ref().is_some_and(|last| {
        let is_named = id.is_none() || last.id.as_deref() == id;
        last.client == sender.client && is_named
    });
    if is_last {
        return Ok(());
    }
    let (client, id) = (&sender.client, &call.id);
    let message = format!("unable to {SETTLE}; {client} does not hold call {id}, claim it first");
    Err(ErrorInfo::new(ErrorCode::Conflict, message))
}
