//! Presence is announced (P7.3).

use crate::protocol::frame::{Lists, ServerFrame};
use crate::protocol::ids::Timestamp;
use crate::protocol::snapshot::Snapshot;
use crate::session::context::{Context, Memory};
use crate::session::engine::{Live, News, Work};
use crate::session::part::Part;
use crate::session::presence::list::{brief_members, members};
use crate::session::presence::state::Change;
use crate::store::StoreError;

/// The announcement of presence, as a part of the session.
pub(crate) struct Announcing;

impl Part for Announcing {
    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        let roster = &mut cx.memory.presence.roster;
        if roster.total() == 0 {
            let connections = cx.engine.connections.values();
            connections.for_each(|live| roster.found(&live.connection));
        }
        Ok(())
    }

    fn hear(cx: &mut Context<'_>, news: &News) -> Result<(), StoreError> {
        let presence = &mut cx.memory.presence;
        // A fresh token may change a member's name or role (P2.6).
        if let Some(id) = &news.renamed
            && let Some(live) = cx.engine.connections.get(id)
        {
            presence.roster.rank(id, live.connection.role);
            if live.connection.as_listed().is_some() {
                presence.note(id);
            }
        }
        // A closed connection is no member any more (P7.2).
        for live in &news.gone {
            let (id, member) = (&live.connection.id, live.connection.as_listed());
            presence.roster.leave(id);
            if member.is_some() || live.is_announced {
                presence.note_left(id, member, live.is_announced);
            }
        }
        Ok(())
    }

    fn finish(cx: &mut Context<'_>) -> Result<(), StoreError> {
        announce(cx);
        Ok(())
    }

    fn window(memory: &Memory) -> Option<Timestamp> {
        memory.presence.due()
    }

    fn attached(cx: &Context<'_>, live: &mut Live, lists: &mut Lists) {
        lists.presence = brief_members(cx);
        live.listed_at = cx.memory.presence.count;
    }

    fn snapshot(cx: &Context<'_>, snapshot: &mut Snapshot<'_>) {
        snapshot.presence = members(cx);
    }
}

/// Announces the changes, at most five times a second and within the bytes allowed at once; the
/// rest follows in turn (P7.3).
pub(crate) fn announce(cx: &mut Context<'_>) {
    list_more(cx);
    let (presence, now) = (&cx.memory.presence, cx.engine.now);
    // A clock that jumped back must not delay the announcement further.
    let is_early = |due| now < due && presence.at <= now;
    if presence.due().is_none_or(is_early) {
        return;
    }
    cx.memory.presence.at = cx.engine.now;
    let mut changed = cx.memory.presence.take();
    let most = cx.engine.limits.presence_bytes_per_second.max(1);
    let (mut told, mut bytes) = (0, 0);
    for changes in changed.chunk_by(|a, b| a.connection == b.connection) {
        if most <= bytes {
            break;
        }
        bytes += announce_changes(cx, changes);
        told += changes.len();
    }
    cx.memory.presence.changed = changed.split_off(told);
    // A reader applies later changes of the list to the number it was told.
    if cx.memory.presence.changed.is_empty() && !cx.memory.presence.roster.is_announced() {
        bytes += announce_count(cx);
    }
    let wait = bytes.saturating_mul(1000) / most;
    cx.memory.presence.wait_ms = Timestamp::try_from(wait).unwrap_or(Timestamp::MAX);
}

/// Counted members take the places of listed ones that left.
fn list_more(cx: &mut Context<'_>) {
    let presence = &mut cx.memory.presence;
    let Work { state, out, .. } = &mut cx.engine;
    while let Some(id) = presence.roster.next(state.limits.presence_listed()) {
        let live = state.connections.get_mut(&id);
        if let Some(live) = live
            && let Some(present) = &mut live.connection.member
        {
            present.is_counted = false;
            out.remember(&live.connection);
            presence.note(&id);
        }
    }
}

/// Announces the number of members; returns the bytes of that for all readers.
fn announce_count(cx: &mut Context<'_>) -> u64 {
    let roster = &mut cx.memory.presence.roster;
    roster.tell();
    let frame = ServerFrame::Count {
        presence_count: roster.total(),
    };
    let index = cx.engine.out.add(&frame);
    let mut bytes = 0;
    for (reader, live) in &cx.engine.state.connections {
        if live.connection.is_reader() {
            cx.engine.out.deliver(reader, index);
            bytes += cx.engine.out.bytes(index);
        }
    }
    bytes
}

/// Announces the sum of one connection's changes, to each reader by its last knowledge: the last
/// announcement, or the list at its attaching since then. Returns the bytes of that for all
/// readers.
fn announce_changes(cx: &mut Context<'_>, changes: &[Change]) -> u64 {
    let Some(last) = changes.last() else { return 0 };
    let live = cx.engine.state.connections.get_mut(&last.connection);
    let member = live.as_ref().and_then(|live| live.connection.as_listed());
    let was_announced = live.map_or(last.was_announced, |live| {
        std::mem::replace(&mut live.is_announced, member.is_some())
    });
    let left = changes.iter().rev().find_map(|change| change.left.clone());
    let known = |listed_at: u64| {
        let mut listed = changes.iter().rev();
        let listed = listed.find(|change| change.count <= listed_at);
        listed.map_or(was_announced, |change| change.is_here)
    };
    match (&member, &left) {
        (Some(member), _) if !was_announced => cx.memory.presence.keep(cx.engine.now, true, member),
        (None, Some(member)) if was_announced => {
            cx.memory.presence.keep(cx.engine.now, false, member)
        }
        _ => {}
    }
    // One frame for readers that know the member, one for the others.
    let frame = |is_known: bool| match (member.clone(), left.clone()) {
        (Some(member), _) if is_known => Some(ServerFrame::Present { member }),
        (Some(member), _) => Some(ServerFrame::Enter { member }),
        (None, Some(member)) if is_known => Some(ServerFrame::Leave { member }),
        // The member came and went in between.
        (None, _) => None,
    };
    let (mut added, mut bytes) = ([None, None], 0);
    let Work { state, out, .. } = &mut cx.engine;
    for (reader, live) in &state.connections {
        if !live.connection.is_reader() || last.count <= live.listed_at {
            continue;
        }
        let is_known = known(live.listed_at);
        let [new, old] = &mut added;
        let added = if is_known { old } else { new };
        let index = added.get_or_insert_with(|| frame(is_known).map(|frame| out.add(&frame)));
        if let Some(index) = *index {
            out.deliver(reader, index);
            bytes += out.bytes(index);
        }
    }
    bytes
}
