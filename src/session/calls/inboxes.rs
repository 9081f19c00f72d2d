//! The inboxes that a call concerns (P15).

use crate::ordered::Set;
use crate::protocol::call::Call;
use crate::protocol::frame::encode;
use crate::protocol::ids::ConnectionId;
use crate::protocol::limits::NEWS_ITEMS;
use crate::protocol::news::{Item, ItemKind, Telling};
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
    const KIND: ItemKind = ItemKind::Call;
    let concerns = |call: &Call| inboxes(cx, call).any(|inbox| inbox == telling.inbox);
    let pending = cx.memory.calls.pending.values();
    let pending = pending.map(|pending| &pending.call);
    let open = pending.clone().filter(|call| concerns(call));
    let open = open.map(|call| call.id.clone()).collect();
    let changed = match telling.is_recent {
        true => cx.engine.store.changed_calls(telling.told, NEWS_ITEMS)?,
        false => {
            let newer = pending.filter(|call| telling.told < call.version);
            newer.cloned().collect()
        }
    };
    let read = (changed.len(), changed.last().map(|it| it.version));
    let items = changed.iter().filter(|call| concerns(call));
    let items = items.filter_map(|it| {
        let body = encode(&shown(cx, it));
        let item = Item::new(KIND, &it.id, it.is_pending(), it.created_at, body)?;
        Some((it.version, item))
    });
    let items = items.collect();
    let read = if telling.is_recent { read } else { (0, None) };
    telling.add(KIND, open, items, read);
    Ok(())
}
