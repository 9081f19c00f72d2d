//! Hooks (P10.4): which of them hear an event, and the text that they get.

use serde::Serialize;

use crate::protocol::hooks::HookEvent;
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Serial;
use crate::session::context::Context;
use crate::session::deliveries::part::stir;
use crate::session::engine::Step;
use crate::store::{DeliveryKind, Parcel, StoreError, Write};

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    event: &'a str,
    id: &'a str,
    session: &'a str,
    #[serde(flatten)]
    subject: Subject<'a>,
    serial: Serial,
    at: Timestamp,
    /// Of its turn (P6.13).
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
}

/// The subject of an event, by its ids.
#[derive(Clone, Copy, Default, Serialize)]
pub(crate) struct Subject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) turn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) approval: Option<&'a str>,
    /// The client that leads from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lead: Option<&'a str>,
}

/// Tells hooks of an event, in the step that causes it.
pub(crate) fn tell(cx: &mut Context<'_>, step: &mut Step, event: HookEvent, subject: Subject<'_>) {
    if !has_hooks(cx) {
        return;
    }
    if cx.engine.created_at.is_none() && !cx.memory.deliveries.is_begun {
        // The step begins the session, and hooks hear that first.
        cx.memory.deliveries.is_begun = true;
        let begun = rows(cx, HookEvent::SessionStart, Subject::default());
        begun.into_iter().for_each(|write| step.note(write));
    }
    let rows = rows(cx, event, subject);
    rows.into_iter().for_each(|write| step.note(write));
}

/// Tells hooks that the session has begun with this input.
pub(crate) fn tell_start(cx: &mut Context<'_>) -> Result<(), StoreError> {
    if cx.engine.created_at.is_none() || cx.memory.deliveries.is_begun || !has_hooks(cx) {
        return Ok(());
    }
    let rows = rows(cx, HookEvent::SessionStart, Subject::default());
    cx.engine.write_beside(&rows)
}

fn has_hooks(cx: &Context<'_>) -> bool {
    !cx.engine.outbound.hooks.is_empty() || cx.engine.settings.hooks.is_some()
}

/// The rows by which every hook hears an event, for the step that causes it. Each address hears
/// it once.
pub(crate) fn rows(cx: &mut Context<'_>, event: HookEvent, subject: Subject<'_>) -> Vec<Write> {
    let serial = cx.engine.epoch.at(cx.engine.end);
    let own = cx.engine.settings.hooks.iter().flatten();
    let hooks = cx.engine.outbound.hooks.iter().chain(own);
    let mut targets: Vec<&str> = Vec::new();
    for hook in hooks.filter(|hook| hook.hears(event)) {
        if !targets.contains(&hook.url.as_str()) {
            targets.push(&hook.url);
        }
    }
    let (session, at) = (cx.engine.id.as_str(), cx.engine.now);
    let turn = subject.turn.and_then(|id| cx.memory.turns.get(id));
    let traceparent = turn.and_then(|open| open.turn.traceparent.as_deref());
    let parcel = |number| {
        let id = id(session, serial, number);
        let body = Body {
            event: event.name(),
            id: &id,
            session,
            subject,
            serial,
            at,
            traceparent,
        };
        let body = serde_json::to_string(&body).unwrap_or_default();
        Parcel { id, body }
    };
    let queue = &mut cx.memory.deliveries;
    let writes = targets.into_iter();
    let writes = writes.flat_map(|target| queue.add(at, DeliveryKind::Hook, target, None, parcel));
    let writes: Vec<Write> = writes.map(Write::Delivery).collect();
    if !writes.is_empty() {
        stir(cx);
    }
    writes
}

/// The id of a delivery for its receiver: no other session has it, nor another life of this one,
/// even after a clock was turned back. A full stop would end the id in the signed text.
pub(crate) fn id(session: &str, serial: Serial, number: u64) -> String {
    format!("{}-{serial}-{number}", session.replace('.', "%2E"))
}
