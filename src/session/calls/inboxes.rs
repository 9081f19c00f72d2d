//! The inboxes that a call concerns (P15).

use crate::ordered::Set;
use crate::protocol::call::Call;
use crate::protocol::frame::encode;
use crate::protocol::ids::ConnectionId;
use crate::protocol::news::Telling;
use crate::session::calls::shown::shown;
use crate::session::context::Context;
use crate::store::StoreError;

/// The inboxes that a call concerns: of the clients and roles that may run it. A connection stands
/// for its client while it is here; a call that every client may run is in no inbox.
fn inboxes<'a>(cx: &'a Context<'_>, call: &'a Call) -> impl Iterator<Item = String> + 'a {
    call.called.to.iter().map(|to| {
        if to.starts_with("role:") {
            return to.clone();
        }
        let live = cx.engine.connections.get(&ConnectionId::new(to.clone()));
        let client = live.map_or(to, |live| &live.connection.client);
        format!("client:{client}")
    })
}

/// Adds the inboxes that pending calls concern.
pub(super) fn recipients(cx: &Context<'_>, into: &mut Set<String>) {
    for pending in cx.memory.calls.pending.values() {
        into.extend(inboxes(cx, &pending.call));
    }
}

/// Adds the calls that an inbox is told of.
pub(super) fn tell(cx: &Context<'_>, telling: &mut Telling<'_>) -> Result<(), StoreError> {
    let pending = cx
        .memory
        .calls
        .pending
        .values()
        .map(|pending| &pending.call);
    telling.add_askings(
        pending,
        |since, most| cx.engine.store.changed_calls(since, most),
        |call, inbox| inboxes(cx, call).any(|own| own == inbox),
        |call| encode(&shown(cx, call)),
    )
}
