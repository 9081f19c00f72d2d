//! Signals: relayed to connected clients, and not kept (P4.5).

use crate::protocol::decode::Signal;
use crate::protocol::frame::{Outcome, ServerFrame};
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Known, Sender, Work};

/// Answers a signal whose id was taken before.
pub(crate) fn repeat(_: &mut Context<'_>, _: &Signal, _: &Known) -> Result<Answer, Error> {
    Ok(Answer::Now(Outcome::Nothing { duplicate: true }))
}

/// Relays a signal. It has no place in the log, so nothing is settled first.
pub(crate) fn signal(
    cx: &mut Context<'_>,
    sender: &Sender,
    signal: Signal,
) -> Result<Answer, Error> {
    if signal.id.is_some() {
        cx.engine.check_room("signal with an id")?;
        let mut step = cx.engine.step_by(sender);
        step.stands_for(cx.engine.end);
        cx.engine.commit(step)?;
    }
    let frame = ServerFrame::Signal {
        client: sender.client.clone(),
        connection: sender.connection.clone(),
        name: signal.name,
        data: signal.data,
    };
    let index = cx.engine.out.add(&frame);
    let is_meant =
        |id: &str, client: &str| signal.to.as_ref().is_none_or(|to| to == id || to == client);
    let Work { state, out, .. } = &mut cx.engine;
    for (id, live) in &state.connections {
        if live.connection.is_reader() && is_meant(id.as_str(), &live.connection.client) {
            out.deliver(id, index);
        }
    }
    Ok(Answer::Now(Outcome::Nothing { duplicate: false }))
}
