//! How long a silent person leads (P8.8). As with leases (P6.8), the row is at most a third of
//! `leadMs` behind.

use crate::protocol::ids::Timestamp;
use crate::session::context::Context;
use crate::session::engine::{Owner, Wait, after};
use crate::store::{HandoverWrite, StoreError};

/// A hand-over waits for the end of the person's silence.
pub(super) const HANDOVER: Owner = Owner {
    name: "handover",
    wait: Wait::Alarm,
};

/// Pings of the person who leads.
pub(super) const PINGS: Owner = Owner {
    name: "handover-pings",
    wait: Wait::Pings,
};

/// A hand-over has begun or ended.
pub(super) fn stir(cx: &mut Context<'_>) {
    cx.engine.state.clock.stir(HANDOVER);
    cx.engine.state.clock.stir(PINGS);
}

/// A client was heard: if it leads, it stays so.
pub(crate) fn note_heard(cx: &mut Context<'_>, client: &str) -> Result<(), StoreError> {
    let now = cx.engine.now;
    match &mut cx.memory.handover {
        Some(held) if held.is_by(client) => held.heard_at = held.heard_at.max(now),
        _ => return Ok(()),
    }
    keep(cx)
}

/// Signs of life of the connections, pings among them, are kept.
pub(crate) fn keep_heard(cx: &mut Context<'_>) -> Result<(), StoreError> {
    let Some(held) = &mut cx.memory.handover else {
        return Ok(());
    };
    let connections = cx.engine.state.connections.values();
    let own = connections.filter(|live| held.is_by(&live.connection.client));
    let heard_at = own.map(|live| live.last_heard().min(cx.engine.now)).max();
    held.heard_at = held.heard_at.max(heard_at.unwrap_or(Timestamp::MIN));
    keep(cx)
}

fn keep(cx: &mut Context<'_>) -> Result<(), StoreError> {
    let slack = slack(cx);
    let Some(held) = &mut cx.memory.handover else {
        return Ok(());
    };
    if held.heard_at.saturating_sub(held.kept_at) <= slack {
        return Ok(());
    }
    held.kept_at = held.heard_at;
    let at = held.heard_at;
    let mut step = cx.engine.step();
    step.note(HandoverWrite::Heard { at });
    cx.engine.commit(step)
}

/// When the person who leads counts as lost.
pub(super) fn lost_at(cx: &Context<'_>) -> Timestamp {
    let Some(held) = &cx.memory.handover else {
        return Timestamp::MAX;
    };
    let connections = cx.engine.connections.values();
    let own = connections.filter(|live| held.is_by(&live.connection.client));
    let pinged_at = own.map(|live| live.pinged_at).max();
    let heard_at = held.heard_at.max(held.perhaps_at);
    let heard_at = heard_at.max(pinged_at.unwrap_or(Timestamp::MIN));
    after(heard_at, cx.engine.settings.lead_ms())
}

/// A third of `leadMs`: how far the row may be behind.
pub(super) fn slack(cx: &Context<'_>) -> Timestamp {
    Timestamp::try_from(cx.engine.settings.lead_ms() / 3).unwrap_or(0)
}
