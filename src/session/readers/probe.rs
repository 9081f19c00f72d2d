//! A reader reports its progress (P13.7).

use crate::machine::Carrier;
use crate::protocol::decode::Seen;
use crate::protocol::frame::Outcome;
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Sender, misplaced};

/// A reader has processed everything before a probe.
pub(crate) fn seen(cx: &mut Context<'_>, sender: &Sender, seen: Seen) -> Result<Answer, Error> {
    // The carrier of a body answers probes too; its lines are the client's.
    let now = cx.engine.now;
    let id = sender.connection.as_ref();
    let live = id.and_then(|id| cx.engine.state.connections.get_mut(id));
    let Some(live) = live.filter(|live| live.connection.carrier != Carrier::Lines) else {
        return Err(misplaced("seen").into());
    };
    if live.probe.answered(seen.n) {
        live.trace.seen_at = Some(now);
    }
    Ok(Answer::Now(Outcome::Nothing { duplicate: false }))
}
