//! Work in the inbox of an agent that cannot be called (P15.3).

use crate::ordered::{Map, Set};
use crate::protocol::agent::WakeBody;
use crate::protocol::frame::encode;
use crate::protocol::news::{Item, ItemKind, Telling};
use crate::protocol::serial::Place;
use crate::session::context::Context;
use crate::session::inboxes::follow::owe_work;
use crate::session::waking::work::{Work, work};

/// The inbox of the agent, if it takes its work from one.
fn inbox(cx: &Context<'_>) -> Option<String> {
    let client = cx.engine.agent()?.inbox.as_ref()?;
    Some(format!("client:{client}"))
}

/// Adds the inbox in which an input waits.
pub(super) fn recipients(cx: &Context<'_>, into: &mut Set<String>) {
    if !work(cx).is_empty() {
        into.extend(inbox(cx));
    }
}

/// Adds the inputs that wait for an agent in an inbox.
pub(super) fn tell(cx: &Context<'_>, telling: &mut Telling<'_>) {
    const KIND: ItemKind = ItemKind::Work;
    if inbox(cx).as_deref() != Some(telling.inbox) {
        return;
    }
    let work = work(cx);
    let id = |it: &Work<'_>| cx.engine.epoch.at(it.place).to_string();
    let open = work.iter().map(id);
    // The turn of an input may come without an entry of the log, at the place that was told last.
    let told = telling.told;
    let changed = work.iter().filter(|it| told <= it.since);
    let items = changed.filter_map(|it| {
        let id = id(it);
        let body = encode(&WakeBody {
            kind: "input",
            id: &id,
            session: &cx.engine.id,
            input: it.input.map(|input| cx.engine.epoch.at(input)),
            turn: it.turn.map(|turn| turn.id.as_str()),
            attempt: it.turn.map(|turn| turn.attempt),
            at: it.at,
            traceparent: it.turn.and_then(|turn| turn.traceparent.as_deref()),
        });
        Some((it.since, Item::new(KIND, &id, true, it.at, body)?))
    });
    telling.add(KIND, open, items);
}

/// Takes the inputs whose turn it is from now on, each with the end of the log when its turn came;
/// the inbox that lists them is owed what changed, and so is the one before it.
pub(super) fn list(cx: &mut Context<'_>, ready: Vec<Place>) {
    let (inbox, end) = (inbox(cx), cx.engine.end);
    let wakes = &mut cx.memory.wakes;
    let is_moved = wakes.inbox != inbox;
    let mut marked = Map::new();
    for place in ready {
        let known = wakes.ready.get(&place).filter(|_| !is_moved);
        marked.insert(place, known.copied().unwrap_or(end));
    }
    let is_changed = wakes.ready != marked;
    wakes.ready = marked;
    let before = std::mem::replace(&mut wakes.inbox, inbox.clone());
    if is_changed {
        inbox.into_iter().for_each(|inbox| owe_work(cx, inbox));
    }
    if is_moved {
        before.into_iter().for_each(|before| owe_work(cx, before));
    }
}
