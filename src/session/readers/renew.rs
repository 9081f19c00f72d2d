//! Renewal of tokens, and the reminder before they expire (P2.6).

use crate::machine::Carrier;
use crate::protocol::capability::Operation;
use crate::protocol::decode::Ref;
use crate::protocol::error::{ErrorCode, ErrorInfo, close};
use crate::protocol::frame::Outcome;
use crate::protocol::frame::ServerFrame;
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::session::context::Context;
use crate::session::engine::{Live, Owner, Reply, Wait, Work};
use crate::session::part::Part;
use crate::session::revocation::cut::check;
use crate::store::StoreError;
use crate::token::Grant;

/// Replaces the whole old token by a fresh one; a bad one is refused and the old stands (P2.6).
pub(crate) fn renew(
    cx: &mut Context<'_>,
    connection: &ConnectionId,
    reference: Option<Ref>,
    chain: Option<u64>,
    grant: Result<Grant, ErrorInfo>,
) -> Result<(), StoreError> {
    let Some(live) = cx.engine.state.connections.get_mut(connection) else {
        return Ok(());
    };
    if live.connection.is_expired(cx.engine.now) {
        cx.engine
            .shut(connection, close::UNAUTHORIZED, "the token expired");
        return Ok(());
    }
    let sender = live.connection.sender();
    let grant = grant.and_then(|grant| {
        check(cx, &grant.client, grant.issued_at)?;
        Ok(grant)
    });
    if cx
        .engine
        .limit(&sender, |rates, now| rates.message(now))
        .is_err()
    {
        let reason = "too many messages";
        return cx.engine.dismiss(connection, close::TOO_FAST, reason);
    }
    cx.engine.heard_frame(connection);
    let Some(live) = cx.engine.state.connections.get_mut(connection) else {
        return Ok(());
    };
    let known = &mut live.connection;
    let reply = Reply::new(&known.sender(), Some(known.carrier), reference);
    let grant = known.chains.check(chain, grant).and_then(|grant| {
        if grant.client != known.client {
            let message = format!("unable to renew the token; it is not {}'s", known.client);
            return Err(ErrorInfo::new(ErrorCode::Unauthorized, message));
        }
        if !known.fits_as(&grant) {
            let message = "unable to renew the token; its name is too large to be kept with \
                           what this connection follows and tells";
            return Err(ErrorInfo::new(ErrorCode::TooLarge, message));
        }
        Ok(grant)
    });
    let grant = match grant {
        Ok(grant) => grant,
        Err(error) => {
            // A valid token that grants nothing here leaves no reason to stay.
            let is_forbidden = error.code == ErrorCode::Forbidden;
            let mut chains = known.chains.clone();
            chains.end(chain);
            cx.engine.answer(&reply, Err(error));
            cx.engine.keep_chains(connection, chains);
            let limited = cx.engine.limit(&sender, |rates, now| rates.refusal(now));
            if is_forbidden {
                let reason = "the token lacks read";
                return cx.engine.dismiss(connection, close::FORBIDDEN, reason);
            }
            if limited.is_err() {
                let reason = "too much that is refused";
                return cx.engine.dismiss(connection, close::TOO_FAST, reason);
            }
            return Ok(());
        }
    };
    let is_renamed = (&known.name, known.role) != (&grant.name, grant.role);
    known.operations = grant.operations;
    known.role = grant.role;
    known.name = grant.name;
    while !known.fits() && !known.chains.are_whole() {
        known.chains.forget_one();
    }
    known.expires_at = grant.expires_at;
    known.issued_at = grant.issued_at;
    live.is_reminded = false;
    cx.engine.out.remember(known);
    let may_read = known.operations.contains(Operation::Read);
    let reminder_at = live.reminder_at().unwrap_or(Timestamp::MAX);
    cx.engine.state.clock.hasten(TOKENS, reminder_at);
    if is_renamed {
        cx.engine.state.news.renamed = Some(connection.clone());
    }
    cx.engine.answer(
        &reply,
        Ok(Outcome::Renewed {
            expires_at: grant.expires_at,
            at: cx.engine.now,
        }),
    );
    if !may_read {
        let reason = "the token lacks read";
        return cx.engine.dismiss(connection, close::FORBIDDEN, reason);
    }
    Ok(())
}

/// The reminders and the ends of tokens, as a part of the session.
pub(crate) struct Tokens;

/// They wait for the next input, of whatever kind: nothing wakes for them.
pub(crate) const TOKENS: Owner = Owner {
    name: "tokens",
    wait: Wait::Input,
};

impl Part for Tokens {
    const OWNER: Option<Owner> = Some(TOKENS);

    fn due_at(cx: &Context<'_>) -> Timestamp {
        let connections = cx.engine.connections.values();
        let times = connections.filter_map(|live| live.reminder_at().or_else(|| ends_at(live)));
        times.min().unwrap_or(Timestamp::MAX)
    }

    fn ring(cx: &mut Context<'_>) -> Result<(), StoreError> {
        remind(cx);
        expire(cx);
        Ok(())
    }
}

/// When the session closes a connection since its token has expired: the Worker's timer ends event
/// streams and bodies.
fn ends_at(live: &Live) -> Option<Timestamp> {
    let is_socket = live.connection.carrier == Carrier::Socket;
    is_socket.then_some(live.connection.expires_at)
}

/// P2.6: closes the connections whose tokens have expired, though nothing is sent to them.
fn expire(cx: &mut Context<'_>) {
    let now = cx.engine.now;
    let all = cx.engine.connections.iter();
    let expired = all.filter(|(_, live)| ends_at(live).is_some_and(|at| at <= now));
    let expired: Vec<ConnectionId> = expired.map(|(id, _)| id.clone()).collect();
    for id in expired {
        cx.engine
            .shut(&id, close::UNAUTHORIZED, "the token expired");
    }
}

/// P2.6: reminds each connection once, if the session is awake when its token is about to expire.
fn remind(cx: &mut Context<'_>) {
    let Work {
        state, out, now, ..
    } = &mut cx.engine;
    for (id, live) in &mut state.connections {
        if live.reminder_at().is_some_and(|at| at <= *now) {
            live.is_reminded = true;
            if live.connection.is_reader() && !live.connection.is_expired(*now) {
                let expires_at = live.connection.expires_at;
                out.send(id, &ServerFrame::TokenExpiring { expires_at });
            }
        }
    }
}
