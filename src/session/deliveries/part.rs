//! Deliveries as a part of the session: each goes out when it is due.

use crate::machine::{DELIVERIES_AT_ONCE, Queue, Started, TELLINGS_AT_ONCE};
use crate::protocol::ids::Timestamp;
use crate::session::context::Context;
use crate::session::engine::{Delivered, Delivery, Owner, Wait, after};
use crate::session::part::Part;
use crate::store::{DeliveryWrite, Parcel, StoreError, Write};

/// Milliseconds between two attempts to empty the storage of a deleted session that has readers.
const LEFT_OVER_MS: u64 = 60 * 60 * 1000;

/// Deliveries, as a part of the session.
pub(crate) struct Deliveries;

/// Deliveries wait for their next attempt, and dead letters to be forgotten.
const DELIVERIES: Owner = Owner {
    name: "deliveries",
    wait: Wait::Alarm,
};

/// The deliveries have changed: their next time is computed anew.
pub(crate) fn stir(cx: &mut Context<'_>) {
    cx.engine.state.clock.stir(DELIVERIES);
}

impl Part for Deliveries {
    const OWNER: Option<Owner> = Some(DELIVERIES);

    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        let rows = cx.engine.store.deliveries()?;
        let at_once = match cx.engine.outbound.has_inboxes {
            true => DELIVERIES_AT_ONCE.saturating_sub(TELLINGS_AT_ONCE),
            false => DELIVERIES_AT_ONCE,
        };
        cx.memory.deliveries = Queue::load(rows, &cx.engine.limits, at_once);
        let written_at = cx.engine.written_at;
        cx.memory.deliveries.number_after(written_at);
        Ok(())
    }

    fn due_at(cx: &Context<'_>) -> Timestamp {
        let left_over = is_left_over(cx).then(|| after(cx.engine.now, LEFT_OVER_MS));
        let due = cx.memory.deliveries.deadline().or(left_over);
        due.unwrap_or(Timestamp::MAX)
    }

    fn ring(cx: &mut Context<'_>) -> Result<(), StoreError> {
        let writes = cx.memory.deliveries.forget_letters(cx.engine.now);
        write(cx, writes)?;
        start(cx)
    }

    fn finish(cx: &mut Context<'_>) -> Result<(), StoreError> {
        // Most sessions owe nothing, and every append would pay for the check.
        if cx.memory.deliveries.is_empty() && cx.engine.created_at.is_some() {
            return Ok(());
        }
        start(cx)?;
        if is_left_over(cx) && cx.engine.connections.is_empty() {
            // P11.2: nothing is owed any more, and no new life has begun.
            cx.engine.end_life();
        }
        Ok(())
    }
}

/// Begins the attempts that are due.
fn start(cx: &mut Context<'_>) -> Result<(), StoreError> {
    let started = cx.memory.deliveries.start(cx.engine.now);
    if started.is_empty() {
        return Ok(());
    }
    for Started {
        number,
        kind,
        target,
        rounds,
    } in started
    {
        let Some(parcel) = cx.engine.store.parcel(number)? else {
            continue;
        };
        let Parcel { id, body } = of_round(parcel, rounds);
        cx.engine.out.deliveries.push(Delivery {
            number,
            id,
            kind,
            target,
            body,
            wants_token: !kind.needs().answer && cx.engine.agent().is_some_and(|it| it.token),
        });
    }
    let at = Deliveries::due_at(cx);
    cx.engine.state.clock.set(DELIVERIES, at);
    Ok(())
}

/// The part of a delivery that is sent in a round: a receiver that remembers ids would take the
/// next round for a repeat of the one that it accepted.
fn of_round(parcel: Parcel, rounds: u64) -> Parcel {
    if rounds == 0 {
        return parcel;
    }
    let Parcel { id, body } = parcel;
    let own = id_of_round(&id, rounds);
    let quoted = [&id, &own].map(|id| format!("\"id\":\"{id}\""));
    let [before, now] = &quoted;
    let body = body.replacen(before, now, 1);
    Parcel { id: own, body }
}

/// The id of a delivery in a round.
pub(super) fn id_of_round(id: &str, rounds: u64) -> String {
    match rounds {
        0 => id.to_owned(),
        rounds => format!("{id}-{}", rounds.saturating_add(1)),
    }
}

/// Takes the outcome of an attempt.
pub(crate) fn settle(cx: &mut Context<'_>, delivered: &Delivered) -> Result<(), StoreError> {
    let Delivered { number, outcome } = delivered;
    let (now, take_ms) = (cx.engine.now, cx.engine.settings.take_ms());
    let queue = &mut cx.memory.deliveries;
    let writes = queue.settle(now, *number, outcome, take_ms);
    write(cx, writes)
}

fn write(cx: &mut Context<'_>, writes: Vec<DeliveryWrite>) -> Result<(), StoreError> {
    if writes.is_empty() {
        return Ok(());
    }
    let writes: Vec<Write> = writes.into_iter().map(Write::Delivery).collect();
    cx.engine.write_beside(&writes)?;
    cx.engine.state.clock.stir(DELIVERIES);
    Ok(())
}

/// Whether an empty table is all that is left of a deleted session.
fn is_left_over(cx: &Context<'_>) -> bool {
    let is_gone = cx.engine.created_at.is_none() && cx.memory.deliveries.is_empty();
    is_gone && cx.engine.store.has_deliveries().unwrap_or(false)
}
