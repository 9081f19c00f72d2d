//! Calls as shown, their look-up, and the refusals that name them.

use crate::protocol::call::{Call, Claim, Shown};
use crate::protocol::data::Data;
use crate::protocol::error::{Details, ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, encode};
use crate::session::calls::lease::held_until;
use crate::session::context::Context;
use crate::session::engine::{Answer, Error};
use crate::store::StoreError;

/// A call as shown to readers.
pub(crate) fn shown(cx: &Context<'_>, call: &Call) -> Shown {
    let held = call.held().filter(|_| call.is_pending());
    let until = held.map(|claim| held_until(cx, claim));
    call.shown(&cx.engine.id, cx.engine.epoch, until)
}

/// A call by its id, pending or settled.
pub(crate) fn find(cx: &Context<'_>, id: &str) -> Result<Option<Call>, StoreError> {
    match cx.memory.calls.pending.get(id) {
        Some(pending) => Ok(Some(pending.call.clone())),
        None => cx.engine.store.settled_call(id),
    }
}

/// A call by its id, which must exist.
pub(crate) fn existing(cx: &Context<'_>, verb: &str, id: &str) -> Result<Call, Error> {
    let missing = || {
        let message = format!("unable to {verb}; there is no call {id}");
        ErrorInfo::new(ErrorCode::NotFound, message)
    };
    Ok(find(cx, id)?.ok_or_else(missing)?)
}

/// The answer to a frame about a call.
pub(crate) fn answer(cx: &Context<'_>, call: &Call, duplicate: bool) -> Answer {
    let call = Box::new(shown(cx, call));
    Answer::Now(Outcome::Call { call, duplicate })
}

/// The refusal of a frame about a call that is settled, with the call.
pub(super) fn already_settled(cx: &Context<'_>, verb: &str, call: &Call) -> ErrorInfo {
    let status = serde_json::json!(call.status);
    let status = status.as_str().unwrap_or_default();
    let message = format!("unable to {verb}; call {} is {status}", call.id);
    let call = Data::from_json(encode(&shown(cx, call)));
    ErrorInfo {
        details: call.map(|call| Details::Settled { call }),
        ..ErrorInfo::new(ErrorCode::AlreadySettled, message)
    }
}

/// The refusal of a device that does not hold the call, with the one that does.
pub(super) fn claimed(verb: &str, call: &Call, claim: &Claim) -> ErrorInfo {
    let Claim {
        client, connection, ..
    } = claim;
    let over = connection.as_ref().map(|it| format!(" over {it}"));
    let (id, over) = (&call.id, over.unwrap_or_default());
    let message = format!("unable to {verb}; {client} holds call {id}{over}");
    ErrorInfo {
        details: Some(Details::Claimed {
            client: client.clone(),
            connection: connection.as_ref().map(|id| id.as_str().to_owned()),
        }),
        ..ErrorInfo::new(ErrorCode::Claimed, message)
    }
}
