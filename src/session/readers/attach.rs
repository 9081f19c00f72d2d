//! Attaching and leaving (P3.4).

use crate::machine::Carrier;
use crate::protocol::PROTOCOL_VERSION;
use crate::protocol::capability::Operation;
use crate::protocol::error::{ErrorCode, ErrorInfo, close};
use crate::protocol::frame::{Attached, ServerFrame};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::session::context::Context;
use crate::session::engine::{Connection, Live, Trace};
use crate::session::notices::away::listen;
use crate::session::parts;
use crate::session::readers::renew::TOKENS;
use crate::session::readers::replay::{Start, replay};
use crate::session::revocation::contact::meet;
use crate::session::revocation::cut::{REASON, check};
use crate::store::StoreError;

/// The largest share of all connections that is reserved for writers.
const RESERVED_SHARE: usize = 10;

/// Accepts a connection: it is sent its position, its replay, and everything from then on. All in
/// one step, so that nothing falls between replay and live (P3.4).
pub(crate) fn attach(
    cx: &mut Context<'_>,
    mut connection: Connection,
    start: &Start,
) -> Result<(), StoreError> {
    connection.told = Some(cx.engine.epoch.as_str().to_owned());
    // Opening one is a sign of life, and no other may come before the session sleeps.
    connection.heard_at = cx.engine.now;
    let is_attached = matches!(connection.carrier, Carrier::Socket | Carrier::Events);
    if let Err((error, code, reason)) = may_attach(cx, &connection, is_attached) {
        refuse(cx, &connection.id, error, code, reason);
        return Ok(());
    }
    let may_write = connection.operations.contains(Operation::Publish)
        || connection.operations.contains(Operation::Turn);
    meet(cx, &connection.client, may_write);
    cx.engine.out.remember(&connection);
    let mut live = Live::new(connection, &cx.engine.limits);
    live.heard_at = cx.engine.now;
    if is_attached {
        tell(cx, &mut live, start)?;
    }
    let reminder_at = live.reminder_at().unwrap_or(Timestamp::MAX);
    cx.engine.state.clock.hasten(TOKENS, reminder_at);
    cx.engine.join(live);
    listen(cx);
    Ok(())
}

/// Sends a connection its position and replay. Nothing is settled: the connection begins with the
/// stored state, and the rest reaches it with its class's next window.
fn tell(cx: &mut Context<'_>, live: &mut Live, start: &Start) -> Result<(), StoreError> {
    let connection = &live.connection;
    let (id, sender) = (connection.id.clone(), connection.sender());
    let serial = cx.engine.epoch.at(cx.engine.end);
    let replay = replay(cx, connection, start)?;
    let mut attached = Attached {
        protocol: PROTOCOL_VERSION,
        session: cx.engine.id.clone(),
        connection: id.clone(),
        client: connection.client.clone(),
        expires_at: connection.expires_at,
        at: cx.engine.now,
        serial,
        resumed: replay.is_resumed,
        reason: replay.reason.clone(),
        has_older: replay.has_older,
        connections: cx.engine.connections.len() + 1,
        lists: replay.lists,
        limits: cx.engine.limits.clone(),
    };
    parts::attached(cx, live, &mut attached.lists);
    parts::listed(cx, live, &mut attached.lists)?;
    let attached = ServerFrame::Attached(Box::new(attached));
    let caught_up = ServerFrame::CaughtUp { serial };
    let sent = cx.engine.out.replay(&id, &[attached.encode()])
        + cx.engine.out.replay(&id, &replay.frames)
        + cx.engine.out.replay(&id, &[caught_up.encode()]);
    live.replayed = u64::try_from(sent).unwrap_or(u64::MAX);
    let trace = Trace {
        attached_at: Some(cx.engine.now),
        resumed: Some(replay.is_resumed),
        reason: replay.reason,
        frames: replay.frames.len(),
        bytes: live.replayed,
        ..Trace::default()
    };
    cx.engine.trace(live, trace);
    live.probe.replayed(live.replayed);
    cx.engine.charge(&sender, sent);
    Ok(())
}

/// A refusal, its close code, and the reason.
type Refusal = (ErrorInfo, u16, &'static str);

/// Whether a connection is admitted: whether there is room for it, and whether its token and its
/// client's rates allow it.
fn may_attach(
    cx: &mut Context<'_>,
    connection: &Connection,
    is_attached: bool,
) -> Result<(), Refusal> {
    check(cx, &connection.client, connection.issued_at)
        .map_err(|error| (error, close::UNAUTHORIZED, REASON))?;
    has_room(cx, connection)?;
    if !is_attached {
        return Ok(());
    }
    let sender = connection.sender();
    let read = sender.must(Operation::Read, "attach", &cx.engine.id);
    read.map_err(|error| (error, close::FORBIDDEN, "the token lacks read"))?;
    let asked = cx.engine.limit(&sender, |rates, now| rates.may_ask(now));
    asked.map_err(|error| (error, close::TOO_FAST, "the client asks too much"))
}

/// Whether there is room for one more connection, for its client and here, and for its state.
fn has_room(cx: &Context<'_>, connection: &Connection) -> Result<(), Refusal> {
    let (limit, most) = (
        cx.engine.limits.connections(),
        cx.engine.limits.client_connections(),
    );
    let full = |who: &str| {
        let message = format!("unable to attach; {who}");
        let error = ErrorInfo::new(ErrorCode::OverLimit, message);
        Err((error, close::TOO_FAST, "too many connections"))
    };
    if limit <= cx.engine.connections.len() {
        return full(&format!("session {} has {limit} connections", cx.engine.id));
    }
    let operations = connection.operations;
    let is_writer = operations.contains(Operation::Publish) || operations.contains(Operation::Turn);
    let reserved = cx
        .engine
        .limits
        .reserved_connections()
        .min(limit / RESERVED_SHARE);
    let open = limit - reserved;
    if !is_writer && open <= cx.engine.connections.len() {
        let who = format!(
            "session {} has {open} connections, and keeps the rest for those who publish",
            cx.engine.id
        );
        return full(&who);
    }
    if most <= cx.engine.connections_of(&connection.client) {
        let client = &connection.client;
        return full(&format!(
            "{client} has {most} connections to session {}",
            cx.engine.id
        ));
    }
    if connection.is_reader() && cx.engine.limits.readers_unsent_bytes < cx.engine.backlog {
        let bytes = cx.engine.backlog;
        return full(&format!(
            "the readers of session {} have {bytes} bytes to take, come again later",
            cx.engine.id
        ));
    }
    if !connection.fits() {
        let message = "unable to attach; the names that this connection follows and its \
                       client's are too large to be kept";
        let error = ErrorInfo::new(ErrorCode::TooLarge, message);
        return Err((error, close::TOO_LARGE, "too large to be kept"));
    }
    Ok(())
}

/// Refuses a connection, and closes it.
pub(crate) fn refuse(
    cx: &mut Context<'_>,
    id: &ConnectionId,
    error: ErrorInfo,
    code: u16,
    reason: &'static str,
) {
    cx.engine.trace_refused(None, &error);
    let nack = ServerFrame::Nack { r#ref: None, error };
    cx.engine.out.send(id, &nack);
    cx.engine.out.close(id, code, reason);
}
