//! Wakes are owed, and taken: each in the step of its cause.

use crate::protocol::agent::{Agent, WakeBody};
use crate::protocol::serial::Place;
use crate::protocol::turn::{Event, State, Turn};
use crate::session::context::Context;
use crate::session::deliveries::{hooks, part::stir};
use crate::session::engine::Step;
use crate::store::{DeliveryKind, DeliveryWrite, Parcel, Write};

/// The kind of a delivery that wakes.
pub(super) const WAKE: DeliveryKind = DeliveryKind::Wake;

/// An input that no turn answers yet waits to be taken.
pub(crate) fn owe_input(
    cx: &mut Context<'_>,
    step: &mut Step,
    input: Place,
    traceparent: Option<&str>,
) {
    if let Some(agent) = cx.engine.agent().cloned() {
        owe(cx, step, &agent, input, None, traceparent);
    }
}

/// A turn has changed: one that waits for an agent is owed, any other is taken.
pub(crate) fn turn_changed(cx: &mut Context<'_>, step: &mut Step, id: &str) {
    cx.memory.wakes.is_stale = true;
    let Some(open) = cx.memory.turns.get(id) else {
        return;
    };
    let place = open.turn.place;
    if open.turn.state != State::Queued {
        return taken(cx, step, place);
    }
    if open.turn.event != Event::Queue {
        return;
    }
    if let Some(agent) = cx.engine.agent().cloned() {
        let turn = open.turn.clone();
        owe_turn(cx, step, &agent, &turn);
    }
}

/// Owes an agent a queued turn, unless it is owed already; one that was given up is owed again.
fn owe_turn(cx: &mut Context<'_>, step: &mut Step, agent: &Agent, turn: &Turn) {
    let (queue, place) = (&mut cx.memory.deliveries, turn.place);
    if queue.subjects(WAKE).any(|(it, _)| it == place) {
        return;
    }
    if let Some(write) = queue.again(cx.engine.now, WAKE, place) {
        step.note(write);
        return stir(cx);
    }
    let traceparent = turn.traceparent.as_deref();
    owe(cx, step, agent, place, Some(turn), traceparent);
}

/// An agent is set: it is owed the turns that wait already.
pub(crate) fn agent_set(cx: &mut Context<'_>, step: &mut Step, own: Option<&Agent>) {
    let deployed = cx.engine.outbound.agent.clone();
    let Some(agent) = own.cloned().or(deployed) else {
        return;
    };
    step.note(DeliveryWrite::Prepare);
    let open = cx.memory.turns.values().map(|open| &open.turn);
    let queued = open.filter(|turn| turn.state == State::Queued);
    for turn in queued.cloned().collect::<Vec<_>>() {
        owe_turn(cx, step, &agent, &turn);
    }
}

/// Owes an agent the input of a turn, or an input without one.
fn owe(
    cx: &mut Context<'_>,
    step: &mut Step,
    agent: &Agent,
    subject: Place,
    turn: Option<&Turn>,
    traceparent: Option<&str>,
) {
    let serial = cx.engine.epoch.at(cx.engine.end);
    let input = turn.map_or(Some(subject), |turn| turn.input);
    let (session, at) = (cx.engine.id.as_str(), cx.engine.now);
    let epoch = cx.engine.epoch;
    let parcel = |number| {
        let id = hooks::id(session, serial, number);
        let body = WakeBody {
            kind: "input",
            id: &id,
            session,
            input: input.map(|place| epoch.at(place)),
            turn: turn.map(|turn| turn.id.as_str()),
            attempt: turn.map(|turn| turn.attempt),
            at,
            traceparent,
        };
        let body = serde_json::to_string(&body).unwrap_or_default();
        Parcel { id, body }
    };
    let (queue, target) = (&mut cx.memory.deliveries, agent.target());
    let writes = queue.add(at, WAKE, &target, Some(subject), parcel);
    writes.into_iter().for_each(|write| step.note(write));
    stir(cx);
}

/// An input or a turn was taken, or does not wait any more.
pub(crate) fn taken(cx: &mut Context<'_>, step: &mut Step, subject: Place) {
    // Most sessions owe nothing.
    if cx.memory.deliveries.is_empty() {
        return;
    }
    let writes = cx.memory.deliveries.taken(WAKE, subject);
    writes.into_iter().for_each(|write| step.note(write));
}

/// The inputs that no turn answers yet are not owed any more; returns them.
pub(crate) fn take_back(cx: &mut Context<'_>, step: &mut Step) -> Vec<Place> {
    let open = &cx.memory.turns;
    let is_turn = |place: Place| open.values().any(|it| it.turn.place == place);
    let owed = cx.memory.deliveries.subjects(WAKE).map(|(place, _)| place);
    let inputs: Vec<Place> = owed.filter(|place| !is_turn(*place)).collect();
    for input in &inputs {
        taken(cx, step, *input);
    }
    inputs
}

/// The rows by which messages that go are not owed any more.
pub(crate) fn forget(cx: &mut Context<'_>, gone: &[Place]) -> Vec<Write> {
    if cx.memory.deliveries.is_empty() {
        return Vec::new();
    }
    let queue = &mut cx.memory.deliveries;
    let writes = gone.iter().flat_map(|place| queue.taken(WAKE, *place));
    writes.map(Write::Delivery).collect()
}

/// The row by which nothing is owed any more.
pub(crate) fn forget_all(cx: &mut Context<'_>) -> Vec<Write> {
    let forgotten = cx.memory.deliveries.forget_kind(WAKE);
    forgotten.map(Write::Delivery).into_iter().collect()
}
