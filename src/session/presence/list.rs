//! Who is there, as a list (P7.4).

use crate::protocol::frame::{Presence, encode};
use crate::protocol::limits::{LIST_BYTES, PRESENCE_LISTED};
use crate::protocol::presence::Member;
use crate::session::context::Context;
use crate::session::engine::Error;

/// Who is there. Whoever is named first has the first connection.
pub(crate) fn members(cx: &Context<'_>) -> Presence {
    let members = cx.engine.connections.values();
    let mut members = members.filter_map(|live| live.connection.as_member());
    let listed: Vec<Member> = members.by_ref().take(PRESENCE_LISTED).collect();
    let more = members.count();
    let presence_count = (0 < more).then_some(listed.len() + more);
    Presence {
        presence: Some(listed),
        presence_count,
    }
}

/// The same for `attached`, which leaves a long list to `GET …/presence` (P3.4).
pub(crate) fn brief_members(cx: &Context<'_>) -> Presence {
    let mut presence = members(cx);
    let listed = presence.presence.as_ref().map_or(0, Vec::len);
    let bytes = serde_json::to_string(&presence).map_or(0, |text| text.len());
    if LIST_BYTES < bytes {
        presence.presence = None;
        presence.presence_count.get_or_insert(listed);
    }
    presence
}

/// `GET …/presence`.
pub(crate) fn list_presence(cx: &Context<'_>) -> Result<String, Error> {
    Ok(encode(&members(cx)))
}
