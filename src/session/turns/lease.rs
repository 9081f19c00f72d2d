//! Leases: how long a silent leader is believed alive (P6.8).

use crate::protocol::ids::Timestamp;
use crate::protocol::turn::State;
use crate::session::context::Context;
use crate::session::engine::{Live, News, Owner, Sender, Wait, after};
use crate::session::part::Part;
use crate::session::turns::state::OpenTurn;
use crate::store::{Kept, StoreError, TurnWrite};

/// Open turns wait for the end of a lease, of a suspension or of a cancel's grace.
pub(crate) const TURNS: Owner = Owner {
    name: "turns",
    wait: Wait::Alarm,
};

/// Leases wait for pings: a leader that says nothing may still be alive.
const LEASES: Owner = Owner {
    name: "leases",
    wait: Wait::Pings,
};

/// Open turns have changed in a way that affects their times.
pub(crate) fn stir(cx: &mut Context<'_>) {
    cx.engine.state.clock.stir(TURNS);
    cx.engine.state.clock.stir(LEASES);
}

/// Silent leaders, as a part of the session.
pub(crate) struct Leases;

impl Part for Leases {
    const OWNER: Option<Owner> = Some(LEASES);

    fn due_at(cx: &Context<'_>) -> Timestamp {
        let open = cx.memory.turns.values();
        let led = open.filter_map(|open| {
            let leader = leader_here(cx, open)?;
            // The session closes a connection once its token has expired, and its pings are
            // forgotten.
            Some(lease_until(cx, open).min(leader.connection.expires_at))
        });
        led.min().unwrap_or(Timestamp::MAX)
    }

    fn hear(cx: &mut Context<'_>, news: &News) -> Result<(), StoreError> {
        for live in &news.gone {
            let id = Some(&live.connection.id);
            for open in cx.memory.turns.values_mut() {
                let lead = open.turn.lead();
                if lead.is_some_and(|lead| lead.connection.as_ref() == id) {
                    open.heard_at = open.heard_at.max(live.pinged_at);
                }
            }
        }
        if !news.gone.is_empty() {
            cx.engine.state.clock.stir(LEASES);
        }
        Ok(())
    }
}

/// The connection that leads an active turn, if it is open.
fn leader_here<'a>(cx: &'a Context<'_>, open: &OpenTurn) -> Option<&'a Live> {
    let State::Active(lead) = &open.turn.state else {
        return None;
    };
    cx.engine.connections.get(lead.connection.as_ref()?)
}

/// Renews a turn's lease after an action of its leader. The row is updated only where it would
/// otherwise be off by more than a third of the lease.
pub(crate) fn renew_lease(
    cx: &mut Context<'_>,
    sender: &Sender,
    id: &str,
) -> Result<(), StoreError> {
    if take_leadership(cx, sender, id)? {
        return Ok(());
    }
    let Some(open) = cx.memory.turns.get_mut(id) else {
        return Ok(());
    };
    let (place, lease_ms) = (open.turn.place, open.turn.lead().map(|lead| lead.lease_ms));
    if slack(lease_ms.unwrap_or(0)) < cx.engine.now.saturating_sub(open.kept_at) {
        open.kept_at = cx.engine.now;
        let mut step = cx.engine.step();
        step.note(TurnWrite::Heard {
            place,
            at: cx.engine.now,
        });
        cx.engine.commit(step)?;
    }
    Ok(())
}

/// Renews a lease on the hot path: an append is a sign of life that is stored anyway. A sender with
/// the current attempt on another socket becomes the leader once the connection that took the turn
/// is gone: its pings are signs of life as well. Returns whether that happened.
pub(crate) fn take_leadership(
    cx: &mut Context<'_>,
    sender: &Sender,
    id: &str,
) -> Result<bool, StoreError> {
    note_alive(cx, id);
    let Some(open) = cx.memory.turns.get_mut(id) else {
        return Ok(false);
    };
    let lead = open.turn.lead_mut();
    let Some(lead) = lead.filter(|lead| lead.connection != sender.connection) else {
        return Ok(false);
    };
    let known = lead.connection.as_ref();
    let is_gone = known.is_some_and(|id| !cx.engine.connections.contains_key(id));
    let live = sender
        .connection
        .as_ref()
        .and_then(|id| cx.engine.connections.get(id));
    let Some(live) = live.filter(|live| is_gone && live.connection.is_reader()) else {
        return Ok(false);
    };
    lead.connection = Some(live.connection.id.clone());
    open.kept_at = open.heard_at;
    let (turn, heard_at) = (open.turn.clone(), open.heard_at);
    let mut step = cx.engine.step();
    step.note(TurnWrite::Row(Kept { turn, heard_at }));
    cx.engine.commit(step)?;
    stir(cx);
    Ok(true)
}

/// Notes that the leader was heard.
pub(crate) fn note_alive(cx: &mut Context<'_>, id: &str) {
    if let Some(open) = cx.memory.turns.get_mut(id) {
        open.heard_at = open.heard_at.max(cx.engine.now);
    }
}

/// Counts pings on a leading connection, signs of life that no row has, also after the connection
/// closes.
fn note_pings(cx: &mut Context<'_>) {
    for open in cx.memory.turns.values_mut() {
        let id = open.turn.lead().and_then(|lead| lead.connection.as_ref());
        if let Some(live) = id.and_then(|id| cx.engine.connections.get(id)) {
            open.heard_at = open.heard_at.max(live.pinged_at);
        }
    }
}

/// Counts these pings and stores them, since a crash loses all that the platform knew, and a leader
/// that only pinged must still be found heard: at most one row for each alarm.
pub(crate) fn keep_pings(cx: &mut Context<'_>) -> Result<(), StoreError> {
    note_pings(cx);
    let mut step = cx.engine.step();
    for open in cx.memory.turns.values_mut() {
        let State::Active(lead) = &open.turn.state else {
            continue;
        };
        if slack(lead.lease_ms) < open.heard_at.saturating_sub(open.kept_at) {
            open.kept_at = open.heard_at;
            let (place, at) = (open.turn.place, open.heard_at);
            step.note(TurnWrite::Heard { place, at });
        }
    }
    cx.engine.commit(step)
}

/// When the lease of an active turn ends, as known now.
pub(crate) fn lease_until(cx: &Context<'_>, open: &OpenTurn) -> Timestamp {
    let Some(lead) = open.turn.lead() else {
        return Timestamp::MAX;
    };
    let live = lead
        .connection
        .as_ref()
        .and_then(|id| cx.engine.connections.get(id));
    let pinged_at = live.map_or(Timestamp::MIN, |live| live.pinged_at);
    let heard_at = open.heard_at.max(open.perhaps_at).max(pinged_at);
    let begun_at = heard_at.max(lead.prolonged_at.unwrap_or(heard_at));
    after(begun_at, lead.lease_ms)
}

/// A third of a lease: the most that its row may lag.
pub(crate) fn slack(lease_ms: u64) -> Timestamp {
    Timestamp::try_from(lease_ms / 3).unwrap_or(0)
}
