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
pub(super) const DELIVERIES: Owner = Owner {
    name: "deliveries",
    wait: Wait::Alarm,
};

impl Part for Deliveries {
    const OWNER: Option<Owner> = Some(DELIVERIES);

    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        let rows = cx.engine.store.deliveries()?;
        let at_once = match cx.engine.outbound.has_inboxes {
            true => DELIVERIES_AT_ONCE.saturating_sub(TELLINGS_AT_ONCE),
            false => DELIVERIES_AT_ONCE,
        };
        cx.memory.deliveries = Queue::load(rows, &cx.engine.limits, at_once);
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
    } in started
    {
        let Some(Parcel { id, body }) = cx.engine.store.parcel(number)? else {
            continue;
        };
        cx.engine.out.deliveries.push(Delivery {
            number,
            id,
            kind,
            target,
            body,
        });
    }
    let at = Deliveries::due_at(cx);
    cx.engine.state.clock.set(DELIVERIES, at);
    Ok(())
}

/// Takes the outcome of an attempt.
pub(crate) fn settle(cx: &mut Context<'_>, delivered: &Delivered) -> Result<(), StoreError> {
    let Delivered { number, outcome } = delivered;
    let writes = cx.memory.deliveries.settle(cx.engine.now, *number, outcome);
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
