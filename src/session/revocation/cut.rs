//! A revocation closes the connections that its tokens opened.

use crate::protocol::error::{ErrorInfo, close};
use crate::protocol::ids::{ConnectionId, Timestamp};
use crate::protocol::limits::REVOKED_MS;
use crate::protocol::revocation::Revocation;
use crate::session::context::Context;
use crate::session::engine::after;
use crate::token::unauthorized;

/// The reason of such a close.
pub(crate) const REASON: &str = "the token was revoked";

/// Closes the connections, and refuses those tokens for a while: one that was admitted before may
/// be on its way.
pub(crate) fn cut(cx: &mut Context<'_>, revocation: Revocation) {
    let now = cx.engine.now;
    let connections = cx.engine.connections.values().map(|live| &live.connection);
    let meant = connections.filter(|it| revocation.is_of(&it.client, it.issued_at));
    let meant: Vec<ConnectionId> = meant.map(|it| it.id.clone()).collect();
    for id in meant {
        cx.engine.shut(&id, close::UNAUTHORIZED, REASON);
    }
    let recent = &mut cx.memory.revoked.recent;
    recent.retain(|(at, _)| now < after(*at, REVOKED_MS));
    recent.push((now, revocation));
}

/// Refuses a token that was revoked just now.
pub(crate) fn check(cx: &Context<'_>, client: &str, issued_at: Timestamp) -> Result<(), ErrorInfo> {
    let mut recent = cx.memory.revoked.recent.iter();
    match recent.any(|(_, revocation)| revocation.is_of(client, issued_at)) {
        true => Err(unauthorized("the token was revoked; ask for another one")),
        false => Ok(()),
    }
}
