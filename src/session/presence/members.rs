//! Members enter, change and leave (P7.1).

use crate::protocol::decode::LeavePresence;
use crate::protocol::decode::SetPresence;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::Outcome;
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Present, Sender, Work, after, misplaced, socket_of};
use crate::session::presence::silence::SILENCE;
use crate::session::presence::tell::announce;

/// Enters presence, or changes the member's data.
pub(crate) fn set_presence(
    cx: &mut Context<'_>,
    sender: &Sender,
    set: SetPresence,
) -> Result<Answer, Error> {
    let Work {
        state, out, now, ..
    } = &mut cx.engine;
    let Some(live) = socket_of(&mut state.connections, sender) else {
        return Err(misplaced("presence.set").into());
    };
    let known = live.connection.member.as_ref();
    let (since, is_counted) = known.map_or((*now, true), |it| (it.since, it.is_counted));
    let mut present = Present {
        data: set.data,
        since,
        is_counted,
    };
    let before = live.connection.member.replace(present.clone());
    if !live.connection.fits() {
        live.connection.member = before;
        let message = "unable to set presence; data is too large to be kept with the names \
                       that this connection follows and its client's";
        return Err(ErrorInfo::new(ErrorCode::TooLarge, message).into());
    }
    let presence = &mut cx.memory.presence;
    let (id, role) = (&live.connection.id, live.connection.role);
    if before.is_none() {
        let most = state.limits.presence_listed();
        present.is_counted = !presence.roster.enter(id, role, most);
    }
    if !present.is_counted {
        presence.note(id);
    }
    live.connection.member = Some(present.clone());
    live.connection.heard_at = live.connection.heard_at.max(*now);
    out.remember(&live.connection);
    let member = live.connection.announced(&present);
    let silent_at = after(live.last_heard(), state.settings.presence_timeout_ms());
    state.clock.hasten(SILENCE, silent_at);
    announce(cx);
    Ok(Answer::Now(Outcome::Member { member }))
}

/// Leaves presence, and stays connected.
pub(crate) fn leave_presence(
    cx: &mut Context<'_>,
    sender: &Sender,
    _: LeavePresence,
) -> Result<Answer, Error> {
    let Work { state, out, .. } = &mut cx.engine;
    let Some(live) = socket_of(&mut state.connections, sender) else {
        return Err(misplaced("presence.leave").into());
    };
    let Some(member) = live.connection.as_member() else {
        let message =
            "unable to leave presence; this connection is not present, enter with presence.set";
        return Err(ErrorInfo::new(ErrorCode::NotFound, message).into());
    };
    live.connection.member = None;
    out.remember(&live.connection);
    cx.memory.presence.leave(&member);
    announce(cx);
    Ok(Answer::Now(Outcome::Member { member }))
}
