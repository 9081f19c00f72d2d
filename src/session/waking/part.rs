//! Waking as a part of the session: the decision about which wakes may go out (P10.3), and the
//! list of them for an inbox.

use crate::ordered::Map;
use crate::protocol::ids::Timestamp;
use crate::protocol::serial::Place;
use crate::protocol::settings::OnInput;
use crate::protocol::turn::{State, Turn};
use crate::session::context::{Context, Memory};
use crate::session::deliveries::part::stir;
use crate::session::engine::News;
use crate::session::part::Part;
use crate::session::usage::budget::is_spent;
use crate::session::waking::owe::WAKE;
use crate::session::waking::state::Wakes;
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
            false => cx.memory.wakes.ready.clear(),
        }
        cx.memory.wakes.is_stale = false;
        cx.memory.wakes.seen = cx.memory.deliveries.changes;
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
    let end = cx.engine.end;
    let wakes = &mut cx.memory.wakes;
    let since = |place: Place| wakes.ready.get(&place).copied().unwrap_or(end);
    let mut marked = Map::new();
    for place in ready {
        marked.insert(place, since(place));
    }
    wakes.ready = marked;
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

fn turn_at<'a>(cx: &'a Context<'_>, place: Place) -> Option<&'a Turn> {
    let mut open = cx.memory.turns.values().map(|open| &open.turn);
    open.find(|turn| turn.place == place)
}

/// An input, or a turn that waits for its next agent, that is to be taken now.
#[derive(Debug)]
#[expect(dead_code, reason = "inboxes list it (P15.3)")]
pub(crate) struct Work<'a> {
    /// Its place, by which it is known while it waits: that of the input, or of the turn.
    pub(crate) place: Place,
    /// The input.
    pub(crate) input: Option<Place>,
    /// The queued turn, if there is one.
    pub(crate) turn: Option<&'a Turn>,
    /// The time of its cause.
    pub(crate) at: Timestamp,
    /// The end of the log when its turn came.
    pub(crate) since: Place,
}

/// Everything that is to be taken now, in order (P15.3).
#[expect(dead_code, reason = "inboxes list it (P15.3)")]
pub(crate) fn work<'a>(cx: &'a Context<'_>) -> Vec<Work<'a>> {
    let owed = cx.memory.deliveries.subjects(WAKE);
    let work = owed.filter_map(|(place, at)| {
        let turn = turn_at(cx, place);
        Some(Work {
            place,
            input: turn.map_or(Some(place), |turn| turn.input),
            turn,
            at,
            since: *cx.memory.wakes.ready.get(&place)?,
        })
    });
    work.collect()
}
