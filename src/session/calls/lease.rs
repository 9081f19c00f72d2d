//! Claims: how long a silent device is believed to run its call (P8.9). Its frames are noted in
//! memory and, now and then, with its connection: that costs no row, and a connection that is gone
//! takes its claims with it.

use crate::ordered::Set;
use crate::protocol::call::Claim;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::session::calls::state::Heard;
use crate::session::context::Context;
use crate::session::engine::{Owner, Wait, after};

/// Calls wait for their deadlines and for the ends of claims.
pub(super) const CALLS: Owner = Owner {
    name: "calls",
    wait: Wait::Alarm,
};

/// Pings of devices that run calls.
pub(super) const PINGS: Owner = Owner {
    name: "call-pings",
    wait: Wait::Pings,
};

/// Calls have changed in a way that affects their times.
pub(super) fn stir(cx: &mut Context<'_>) {
    cx.engine.state.clock.stir(CALLS);
    cx.engine.state.clock.stir(PINGS);
}

/// When a claim ends, as known now: at once if its connection is closed.
pub(super) fn held_until(cx: &Context<'_>, claim: &Claim) -> Timestamp {
    let Some(id) = &claim.connection else {
        return after(claim.at, claim.lease_ms);
    };
    let Some(live) = cx.engine.connections.get(id) else {
        return Timestamp::MIN;
    };
    let heard = cx.memory.calls.heard.get(id);
    let heard_at = heard.map_or(Timestamp::MIN, |heard| heard.at.max(heard.perhaps_at));
    let begun_at = claim.at.max(live.pinged_at).max(heard_at);
    // Nothing that comes after the end of its token counts (P2.6).
    after(begun_at, claim.lease_ms).min(live.connection.expires_at)
}

/// A message came over a connection, which renews its claims.
pub(crate) fn note_heard(cx: &mut Context<'_>, connection: &ConnectionId) {
    let Some(heard) = cx.memory.calls.heard.get_mut(connection) else {
        return;
    };
    heard.at = heard.at.max(cx.engine.now);
    let slack = heard.slack;
    cx.engine.keep_heard(connection, slack);
}

/// Listens to the connection of a claim from now on.
pub(super) fn listen(cx: &mut Context<'_>, claim: &Claim) {
    let Some(id) = &claim.connection else {
        return;
    };
    let slack = Timestamp::try_from(claim.lease_ms / 3).unwrap_or(0);
    let known = cx.engine.connections.get(id);
    let heard_at = known.map_or(Timestamp::MIN, |live| live.connection.heard_at);
    let heard = cx.memory.calls.heard.or_insert_with(id.clone(), || Heard {
        at: heard_at,
        perhaps_at: Timestamp::MIN,
        slack,
    });
    heard.slack = heard.slack.min(slack);
}

/// Listens no longer to connections that hold no call.
pub(super) fn listen_no_more(cx: &mut Context<'_>) {
    let calls = &mut cx.memory.calls;
    let pending = calls.pending.values();
    let holders = pending.filter_map(|pending| pending.call.held()?.connection.as_ref());
    let holders: Set<&ConnectionId> = holders.collect();
    calls.heard.retain(|id, _| holders.contains(id));
}
