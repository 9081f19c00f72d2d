//! `read` (P9.5): a mark moves forward.

use super::memory::MARKS;
use crate::protocol::decode::ReadUpTo;
use crate::protocol::frame::{Outcome, ServerFrame};
use crate::protocol::limits::READ_MARKS;
use crate::protocol::mark::Mark;
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Sender};
use crate::session::inboxes::follow::owe_reader;
use crate::store::{MarkWrite, StoreError};

const VERB: &str = "mark what was read";

/// Moves the mark of the sender's client: at once, or together with what it reads within two
/// seconds.
pub(crate) fn read(cx: &mut Context<'_>, sender: &Sender, read: ReadUpTo) -> Result<Answer, Error> {
    let (place, now) = (cx.engine.place(VERB, read.serial)?, cx.engine.now);
    let done = Ok(Answer::Now(Outcome::Nothing { duplicate: false }));
    let client = &sender.client;
    let known = cx.memory.marks.known(cx.engine.store)?;
    let mark = known.marks.get(client).copied();
    if place <= mark.map_or(0, |mark| mark.place) {
        return done;
    }
    if mark.is_none() {
        cx.engine.check_room(VERB)?;
    }
    let known = cx.memory.marks.known_mut(cx.engine.store)?;
    let kept = known.marks.or_default(client.clone());
    kept.place = place;
    known.ahead.insert(client.clone());
    if mark.is_none_or(|mark| mark.due(now) <= now) {
        keep(cx)?;
    }
    cx.engine.state.clock.stir(MARKS);
    done
}

/// Stores and tells the marks that are due.
pub(super) fn keep(cx: &mut Context<'_>) -> Result<(), StoreError> {
    let now = cx.engine.now;
    let Some(known) = cx.memory.marks.ahead_mut() else {
        return Ok(());
    };
    let is_due = |client: &String| known.marks.get(client).is_none_or(|it| it.due(now) <= now);
    let due: Vec<String> = known
        .ahead
        .iter()
        .filter(|it| is_due(it))
        .cloned()
        .collect();
    let mut step = cx.engine.step();
    let mut told = Vec::new();
    for client in due {
        known.ahead.remove(&client);
        let Some(kept) = known.marks.get_mut(&client) else {
            continue;
        };
        kept.kept_at = now;
        let place = kept.place;
        // Reading is no activity, from which idle expiry counts.
        step.note(MarkWrite::Put {
            client: client.clone(),
            place,
            at: now,
        });
        told.push(Mark {
            client,
            serial: cx.engine.epoch.at(place),
        });
    }
    while READ_MARKS < known.marks.len() {
        let oldest = known.marks.iter().min_by_key(|(_, kept)| kept.kept_at);
        let Some(client) = oldest.map(|(client, _)| client.clone()) else {
            break;
        };
        known.marks.remove(&client);
        known.ahead.remove(&client);
        step.note(MarkWrite::Forget { client });
    }
    let is_told_to_all = known.is_told_to_all();
    cx.engine.commit(step)?;
    for mark in told {
        owe_reader(cx, &mark.client);
        tell(cx, mark, is_told_to_all);
    }
    Ok(())
}

/// Tells everybody, or the client's own connections.
fn tell(cx: &mut Context<'_>, mark: Mark, is_told_to_all: bool) {
    let Mark { client, serial } = mark;
    let frame = ServerFrame::Marked {
        client: client.clone(),
        serial,
    };
    if is_told_to_all {
        cx.engine.broadcast(&frame, None);
        return;
    }
    let index = cx.engine.out.add(&frame);
    for (id, live) in &cx.engine.state.connections {
        if live.connection.is_reader() && live.connection.client == client {
            cx.engine.out.deliver(id, index);
        }
    }
}
