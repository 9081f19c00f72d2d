//! Members that were not heard for too long leave (P7.2).

use crate::protocol::frame::ServerFrame;
use crate::protocol::ids::Timestamp;
use crate::session::context::Context;
use crate::session::engine::{Owner, Wait, Work, after};
use crate::session::part::Part;
use crate::store::StoreError;

/// Silent members, as a part of the session.
pub(crate) struct Silence;

/// Silence waits for pings: the platform answers them without waking the session.
pub(crate) const SILENCE: Owner = Owner {
    name: "silence",
    wait: Wait::Pings,
};

impl Part for Silence {
    const OWNER: Option<Owner> = Some(SILENCE);

    fn due_at(cx: &Context<'_>) -> Timestamp {
        let timeout = cx.engine.settings.presence_timeout_ms();
        let connections = cx.engine.connections.values();
        let members = connections.filter(|live| live.connection.member.is_some());
        let silent = members.map(|live| after(live.last_heard(), timeout));
        silent.min().unwrap_or(Timestamp::MAX)
    }

    fn ring(cx: &mut Context<'_>) -> Result<(), StoreError> {
        drop_silent(cx);
        Ok(())
    }
}

/// Removes members that were not heard for too long.
fn drop_silent(cx: &mut Context<'_>) {
    let Work {
        state, out, now, ..
    } = &mut cx.engine;
    let timeout = state.settings.presence_timeout_ms();
    for live in state.connections.values_mut() {
        let Some(member) = live.connection.as_member() else {
            continue;
        };
        if after(live.last_heard(), timeout) <= *now {
            live.connection.member = None;
            out.remember(&live.connection);
            if !cx.memory.presence.leave(&member) {
                // The member was never announced, and must learn that it has to enter again.
                out.send(&live.connection.id, &ServerFrame::Leave { member });
            }
        }
    }
}
