//! Waking as a part of the session: the decision about which wakes may go out (P10.3), and the
//! list of them for an inbox.

use crate::ordered::Set;
use crate::protocol::news::Telling;
use crate::protocol::serial::Place;
use crate::protocol::settings::OnInput;
use crate::protocol::turn::{State, Turn};
use crate::session::context::{Context, Memory};
use crate::session::deliveries::part::stir;
use crate::session::engine::News;
use crate::session::part::Part;
use crate::session::usage::budget::is_spent;
use crate::session::waking::inboxes;
use crate::session::waking::owe::WAKE;
use crate::session::waking::state::Wakes;
use crate::session::waking::work::turn_at;
use crate::store::StoreError;

/// Waking, as a part of the session.
pub(crate) struct Waking;

impl Part for Waking {
    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        cx.memory.wakes = Wakes {
            is_stale: true,
            is_owing: cx.engine.store.has_deliveries()?,
            ..Wakes::default()
        };
        Ok(())
    }

    fn hear(cx: &mut Context<'_>, news: &News) -> Result<(), StoreError> {
        // The settings name the agent.
        cx.memory.wakes.is_stale |= news.is_settled;
        Ok(())
    }

    fn finish(cx: &mut Context<'_>) -> Result<(), StoreError> {
        let (wakes, queue) = (&cx.memory.wakes, &cx.memory.deliveries);
        // Every append asks.
        if !wakes.is_stale && wakes.seen == queue.changes {
            return Ok(());
        }
        let is_owing = Self::is_busy(cx.memory);
        let was_owing = std::mem::replace(&mut cx.memory.wakes.is_owing, is_owing);
        if was_owing && !is_owing {
            // The session may expire from now on.
            cx.engine.state.news.is_settled = true;
        }
        match is_owing {
            true => release(cx),
            false => inboxes::list(cx, Vec::new()),
        }
        cx.memory.wakes.is_stale = false;
        cx.memory.wakes.seen = cx.memory.deliveries.changes;
        Ok(())
    }

    fn recipients(cx: &Context<'_>, into: &mut Set<String>) {
        inboxes::recipients(cx, into);
    }

    fn tell(cx: &Context<'_>, telling: &mut Telling<'_>) -> Result<(), StoreError> {
        inboxes::tell(cx, telling);
        Ok(())
    }

    /// A session that owes an input does not expire.
    fn is_busy(memory: &Memory) -> bool {
        memory.deliveries.subjects(WAKE).next().is_some()
    }
}

/// Lets those go out whose turn it is.
fn release(cx: &mut Context<'_>) {
    let ready = match cx.engine.agent() {
        Some(_) => ready(cx),
        None => Vec::new(),
    };
    inboxes::list(cx, ready);
    let agent = cx.engine.agent();
    let target = agent.map(|agent| agent.target()).unwrap_or_default();
    // An inbox is told of work, and nobody is called.
    let is_called = agent.is_some_and(|agent| agent.inbox.is_none());
    let (queue, ready) = (&mut cx.memory.deliveries, &cx.memory.wakes.ready);
    queue.release(WAKE, &target, |place| {
        is_called && ready.contains_key(&place)
    });
    stir(cx);
}

/// The inputs and turns whose turn it is: none while a person leads or the budget is spent, one
/// after the other where inputs are queued, else all.
fn ready(cx: &Context<'_>) -> Vec<Place> {
    if cx.memory.handover.is_some() || is_spent(cx) {
        return Vec::new();
    }
    let owed = cx.memory.deliveries.subjects(WAKE).map(|(place, _)| place);
    if cx.engine.settings.on_input() != OnInput::Queue {
        return owed.collect();
    }
    let mut open = cx.memory.turns.values().map(|open| &open.turn);
    if open.any(answers) {
        return Vec::new();
    }
    // A turn whose agent was lost comes before the inputs after its own.
    let order = |place: &Place| {
        turn_at(cx, *place)
            .and_then(|turn| turn.input)
            .unwrap_or(*place)
    };
    owed.min_by_key(order).into_iter().collect()
}

/// Whether a turn answers an input at the moment.
fn answers(turn: &Turn) -> bool {
    matches!(turn.state, State::Active(_)) && turn.input.is_some() && turn.cancel.is_none()
}
