//! An agent calls a tool on a client's device (P8.9).

use crate::protocol::call::{Call, Event, Returned, Status};
use crate::protocol::decode::CallTool;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::limits::{PENDING_CALL_BYTES, PENDING_CALLS};
use crate::session::calls::change::tell;
use crate::session::calls::shown::{answer, find};
use crate::session::calls::state::PendingCall;
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Sender, after, check_pending};
use crate::session::turns::leader::{Claim, check_leader};
use crate::session::turns::lease::renew_lease;
use crate::session::turns::waiting::{asker, suspend_for};

const VERB: &str = "call the tool";
/// Calls that may be pending, and their bytes.
const MOST: (usize, usize) = (PENDING_CALLS, PENDING_CALL_BYTES);
/// The prefix of ids made by the session, followed by the serial of the call.
const NAME: &str = "call-";
/// The reason of a turn that waits for a call.
pub(super) const REASON: &str = "call";

/// `tool.call`: with `suspend` the turn is suspended in the same step.
pub(crate) fn call(cx: &mut Context<'_>, sender: &Sender, call: CallTool) -> Result<Answer, Error> {
    if let Some(id) = &call.id
        && let Some(known) = find(cx, id)?
    {
        if known.client != sender.client || known.turn != call.turn {
            let message = format!("unable to {VERB}; {id} is another call");
            return Err(ErrorInfo::new(ErrorCode::Conflict, message).into());
        }
        return Ok(answer(cx, &known, true));
    }
    cx.engine.check_own_id(VERB, NAME, call.id.as_deref())?;
    let turn = call.turn.clone();
    let claim = Claim {
        verb: VERB,
        sender,
        attempt: call.attempt,
    };
    check_leader(cx, &claim, &turn)?;
    cx.engine.check_form(VERB, call.called.schema.as_ref())?;
    cx.engine.check_room(VERB)?;
    let asker = asker(cx, Some(&turn))?;
    let pending = PendingCall::new(begun(cx, sender, call, asker));
    let others = cx
        .memory
        .calls
        .pending
        .values()
        .map(|pending| pending.bytes);
    check_pending(VERB, "calls", others, pending.bytes, MOST)?;
    cx.check_named(VERB, pending.call.called.to.iter().map(String::as_str))?;
    cx.engine.settle()?;
    let mut step = cx.engine.step_by(sender);
    let place = cx.engine.next_place();
    step.stands_for(place);
    let call = pending.call.clone();
    cx.memory.calls.pending.insert(call.id.clone(), pending);
    tell(cx, &mut step, &call);
    if call.called.suspend {
        suspend_for(cx, &mut step, &turn, REASON);
    }
    cx.engine.commit(step)?;
    renew_lease(cx, sender, &turn)?;
    Ok(answer(cx, &call, false))
}

/// The call as it begins with the next entry.
fn begun(cx: &Context<'_>, sender: &Sender, call: CallTool, asker: Option<String>) -> Call {
    let (place, now) = (cx.engine.end + 1, cx.engine.now);
    let mut called = call.called;
    if called.to.is_empty() {
        called.to.extend(asker);
    }
    let id = call.id;
    Call {
        place,
        version: place,
        event: Event::Call,
        id: id.unwrap_or_else(|| format!("{NAME}{}", cx.engine.epoch.at(place))),
        turn: call.turn,
        client: sender.client.clone(),
        called,
        deadline_at: call.deadline_ms.map(|wait| after(now, wait)),
        status: Status::Pending,
        claim: None,
        is_held: false,
        returned: Returned::default(),
        created_at: now,
        settled_at: None,
    }
}
