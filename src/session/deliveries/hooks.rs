//! Hooks (P10.4): which of them hear an event, and the text that they get.

use serde::Serialize;

use crate::protocol::hooks::HookEvent;
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Serial;
use crate::session::context::Context;
use crate::store::{DeliveryKind, Parcel, Write};

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    event: &'a str,
    id: &'a str,
    session: &'a str,
    serial: Serial,
    at: Timestamp,
}

/// The rows by which every hook hears an event, for the step that causes it. `serial` is its
/// place in the log. Each address hears it once.
pub(crate) fn rows(cx: &mut Context<'_>, event: HookEvent, serial: Serial) -> Vec<Write> {
    let own = cx.engine.settings.hooks.iter().flatten();
    let hooks = cx.engine.outbound.hooks.iter().chain(own);
    let mut targets: Vec<&str> = Vec::new();
    for hook in hooks.filter(|hook| hook.hears(event)) {
        if !targets.contains(&hook.url.as_str()) {
            targets.push(&hook.url);
        }
    }
    let (session, at) = (cx.engine.id.as_str(), cx.engine.now);
    let parcel = |number| {
        let id = id(session, serial, number);
        let body = Body {
            event: event.name(),
            id: &id,
            session,
            serial,
            at,
        };
        let body = serde_json::to_string(&body).unwrap_or_default();
        Parcel { id, body }
    };
    let queue = &mut cx.memory.deliveries;
    let writes = targets.into_iter();
    let writes = writes.flat_map(|target| queue.add(at, DeliveryKind::Hook, target, parcel));
    writes.map(Write::Delivery).collect()
}

/// The id of a delivery for its receiver: no other session has it, nor another life of this one,
/// even after a clock was turned back. A full stop would end the id in the signed text.
fn id(session: &str, serial: Serial, number: u64) -> String {
    format!("{}-{serial}-{number}", session.replace('.', "%2E"))
}
