//! A device takes a call (P8.9).

use crate::protocol::call::{Call, Claim, Event};
use crate::protocol::decode::ClaimCall;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::turn::lease;
use crate::session::calls::change::change_call;
use crate::session::calls::lease::{listen, stir};
use crate::session::calls::shown::{already_settled, answer, claimed, existing};
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Sender};
use crate::store::{CallWrite, StoreError};

const VERB: &str = "claim the call";

/// `tool.claim`: one device wins. The holder's own claim again renews it, and moves it to the
/// connection that it came over.
pub(crate) fn claim(
    cx: &mut Context<'_>,
    sender: &Sender,
    claim: ClaimCall,
) -> Result<Answer, Error> {
    let call = existing(cx, VERB, &claim.call)?;
    check_meant(&call, sender)?;
    if !call.is_pending() {
        return Err(already_settled(cx, VERB, &call).into());
    }
    let held = call.held();
    if let Some(held) = held
        && !may_repeat(held, sender, claim.id.as_deref())
    {
        return Err(claimed(VERB, &call, held).into());
    }
    let made = Claim {
        id: claim.id.or_else(|| held.and_then(|held| held.id.clone())),
        client: sender.client.clone(),
        connection: sender.connection.clone(),
        at: cx.engine.now,
        lease_ms: lease(claim.lease_ms),
    };
    let is_in_place = held.is_some_and(|held| held.connection == made.connection);
    if is_in_place {
        return renew(cx, &call.id, made);
    }
    cx.engine.check_space(VERB)?;
    let is_moved = held.is_some();
    cx.engine.settle()?;
    let mut step = cx.engine.step_by(sender);
    listen(cx, &made);
    let call = change_call(cx, &mut step, &call.id, Event::Claim, |call| {
        call.claim = Some(made);
        call.is_held = true;
    });
    cx.engine.commit(step)?;
    let missing = || StoreError("the call that was claimed is not there".into());
    Ok(answer(cx, &call.ok_or_else(missing)?, is_moved))
}

/// A claim that is made again is no entry of the log, only a row.
fn renew(cx: &mut Context<'_>, id: &str, made: Claim) -> Result<Answer, Error> {
    listen(cx, &made);
    let missing = || StoreError("the call that is claimed is not there".into());
    let pending = cx.memory.calls.pending.get_mut(id).ok_or_else(missing)?;
    pending.call.claim = Some(made);
    let call = pending.call.clone();
    let mut step = cx.engine.step();
    step.note(CallWrite {
        call: call.clone(),
        client: None,
        at: cx.engine.now,
        is_entry: false,
    });
    cx.engine.commit(step)?;
    stir(cx);
    Ok(answer(cx, &call, true))
}

/// Whether a claim is its holder's own again. By HTTP that takes an id: another device of the same
/// client would win as well otherwise.
fn may_repeat(claim: &Claim, sender: &Sender, id: Option<&str>) -> bool {
    let has_mark = claim.connection.is_some() || claim.id.is_some();
    has_mark && is_holder(claim, sender, id)
}

/// Whether a sender holds a claim: it is the claim's connection, or its client and names its id.
/// A claim by HTTP without an id is its client's, also by HTTP.
pub(super) fn is_holder(claim: &Claim, sender: &Sender, id: Option<&str>) -> bool {
    let is_here = match &claim.connection {
        Some(_) => claim.connection == sender.connection,
        None => sender.connection.is_none() && claim.id.is_none(),
    };
    let is_named = claim.id.is_some() && claim.id.as_deref() == id;
    claim.client == sender.client && (is_here || is_named)
}

/// Refuses a device that the call is not for.
fn check_meant(call: &Call, sender: &Sender) -> Result<(), ErrorInfo> {
    let to = &call.called.to;
    let connection = sender.connection.as_ref().map(|id| id.as_str());
    let is_meant = |word: &String| sender.is(word) || connection == Some(word);
    if to.is_empty() || to.iter().any(is_meant) {
        return Ok(());
    }
    let (client, id, to) = (&sender.client, &call.id, to.join(", "));
    let message = format!("unable to {VERB}; call {id} is for {to}, not for {client}");
    Err(ErrorInfo::new(ErrorCode::Forbidden, message))
}
