//! A client is away once none of its connections was heard for `presenceTimeoutMs` (P10.2).

use crate::machine::Carrier;
use crate::protocol::ids::Timestamp;
use crate::session::context::Context;
use crate::session::engine::{Live, Owner, Wait, after};

/// The platform answers pings without waking the session, so it is asked for them before a client
/// counts as away.
pub(super) const AWAY: Owner = Owner {
    name: "away",
    wait: Wait::Pings,
};

/// Whether a client is away.
pub(super) fn is_away(cx: &Context<'_>, client: &str) -> bool {
    if cx.engine.connections_of(client) == 0 {
        return true;
    }
    let connections = cx.engine.connections.values();
    let mut own = connections.filter(|live| live.connection.client == client);
    own.all(|live| silent_at(cx, live) <= cx.engine.now)
}

/// When a connection counts as silent, as known now: an expired one is sent nothing (P2.6). An
/// event stream says nothing, and closes when its reader leaves.
fn silent_at(cx: &Context<'_>, live: &Live) -> Timestamp {
    let silent_at = match live.connection.carrier {
        Carrier::Events => Timestamp::MAX,
        _ => after(live.last_heard(), cx.engine.settings.presence_timeout_ms()),
    };
    silent_at.min(live.connection.expires_at)
}

/// When pings are to be known again: as soon as a connection may have fallen silent and, for those
/// that have, once in the time after which one counts as silent.
pub(super) fn listens_at(cx: &Context<'_>) -> Timestamp {
    if !cx.engine.outbound.push.is_any() {
        return Timestamp::MAX;
    }
    // A clock that was turned back has asked for nothing yet.
    let asked_at = cx.memory.listened_at.min(cx.engine.now);
    let again_at = after(asked_at, cx.engine.settings.presence_timeout_ms());
    let silent = cx.engine.connections.values();
    let silent = silent.map(|live| silent_at(cx, live));
    let due = silent.map(|at| match at <= asked_at {
        true => again_at,
        false => at,
    });
    due.min().unwrap_or(Timestamp::MAX)
}

/// A connection was opened.
pub(crate) fn listen(cx: &mut Context<'_>) {
    if cx.engine.outbound.push.is_any() {
        let silent_at = after(cx.engine.now, cx.engine.settings.presence_timeout_ms());
        cx.engine.state.clock.hasten(AWAY, silent_at);
    }
}
