//! Calls change: every entry of a call but its first goes through [`change_call`].

use crate::protocol::call::{Call, Event};
use crate::protocol::frame::{CallFrame, ServerFrame};
use crate::session::calls::lease::{listen_no_more, stir};
use crate::session::calls::shown::shown;
use crate::session::context::Context;
use crate::session::engine::Step;
use crate::store::CallWrite;

/// Gives a change of a pending call its place, stores it and sends its frame. A call settled by it
/// is not pending any more.
pub(super) fn change_call(
    cx: &mut Context<'_>,
    step: &mut Step,
    id: &str,
    event: Event,
    change: impl FnOnce(&mut Call),
) -> Option<Call> {
    let version = cx.engine.next_place();
    let pending = cx.memory.calls.pending.get_mut(id)?;
    let call = &mut pending.call;
    change(call);
    call.version = version;
    call.event = event;
    call.settled_at = (!call.is_pending()).then_some(cx.engine.now);
    let call = call.clone();
    if !call.is_pending() {
        cx.memory.calls.pending.remove(id);
    }
    if event != Event::Claim {
        listen_no_more(cx);
    }
    tell(cx, step, &call);
    Some(call)
}

/// Stores a changed call, and sends its frame.
pub(super) fn tell(cx: &mut Context<'_>, step: &mut Step, call: &Call) {
    step.write(CallWrite {
        call: call.clone(),
        client: step.by().map(str::to_owned),
        at: cx.engine.now,
        is_entry: true,
    });
    step.tell(frame(cx, call));
    stir(cx);
}

/// The frame of the latest change of a call.
pub(super) fn frame(cx: &Context<'_>, call: &Call) -> ServerFrame {
    ServerFrame::Call(CallFrame {
        r#type: call.event,
        serial: cx.engine.epoch.at(call.version),
        call: Box::new(shown(cx, call)),
    })
}
