//! The list of members (P7.4).

use crate::protocol::frame::{Presence, encode};
use crate::protocol::limits::LIST_BYTES;
use crate::protocol::presence::Member;
use crate::session::context::Context;
use crate::session::engine::Error;

/// The members, ordered by connection; some may only be counted.
pub(crate) fn members(cx: &Context<'_>) -> Presence {
    Presence {
        presence: Some(listed(cx).collect()),
        presence_count: cx.memory.presence.roster.count(),
    }
}

fn listed(cx: &Context<'_>) -> impl Iterator<Item = Member> {
    let listed = cx.memory.presence.roster.listed();
    let live = listed.filter_map(|id| cx.engine.connections.get(id));
    live.filter_map(|live| live.connection.as_member())
}

/// The members for `attached`, which leaves a long list to `GET …/presence` (P3.4).
pub(crate) fn brief_members(cx: &Context<'_>) -> Presence {
    let mut bytes = 0;
    // A list that is too long is not even built.
    let fitting = listed(cx).take_while(|member| {
        bytes += encode(member).len();
        bytes <= LIST_BYTES
    });
    let listed: Vec<Member> = fitting.collect();
    let is_long = LIST_BYTES < bytes;
    let roster = &cx.memory.presence.roster;
    Presence {
        presence: (!is_long).then_some(listed),
        presence_count: roster.count().or_else(|| is_long.then(|| roster.total())),
    }
}

/// `GET …/presence`.
pub(crate) fn list_presence(cx: &Context<'_>) -> Result<String, Error> {
    Ok(encode(&members(cx)))
}
