//! Members enter, change and leave (P7.1).

use crate::protocol::decode::LeavePresence;
use crate::protocol::decode::SetPresence;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::Outcome;
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Present, Sender, Work, misplaced, socket_of};
use crate::session::presence::silence::SILENCE;
use crate::session::presence::tell::announce;

/// Enters, or changes what a member tells of itself.
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
    let since = live.connection.member.as_ref().map(|present| present.since);
    let present = Present {
        data: set.data,
        since: since.unwrap_or(*now),
    };
    let before = live.connection.member.replace(present.clone());
    if !live.connection.fits() {
        live.connection.member = before;
        let message = "unable to be present; data is too large to be kept with the names \
                       that this connection follows and its client's";
        return Err(ErrorInfo::new(ErrorCode::TooLarge, message).into());
    }
    live.connection.heard_at = live.connection.heard_at.max(*now);
    out.remember(&live.connection);
    let connection = &live.connection;
    let member = connection.announced(&present);
    cx.memory.presence.note(&connection.id);
    state.clock.stir(SILENCE);
    announce(cx);
    Ok(Answer::Now(Outcome::Member { member }))
}

/// Leaves, and stays connected.
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
        let message = "unable to leave; this connection is not present, enter with presence.set";
        return Err(ErrorInfo::new(ErrorCode::NotFound, message).into());
    };
    live.connection.member = None;
    out.remember(&live.connection);
    let left = Some(member.clone());
    cx.memory
        .presence
        .note_left(&member.connection, left, false);
    announce(cx);
    Ok(Answer::Now(Outcome::Member { member }))
}
