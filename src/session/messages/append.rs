//! Streaming messages grow (P5.1–P5.3).

use crate::protocol::data::units;
use crate::protocol::decode::{Append, too_large};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::serial::Place;
use crate::session::context::Context;
use crate::session::engine::{Answer, Closing, Engine, Error, Known, Pending, Sender};
use crate::session::handover::check::check_output;
use crate::session::messages::edits::check_edits;
use crate::session::messages::standing::{gap, repeat_message, repeat_stored};
use crate::session::turns::leader::{Claim, fence};
use crate::session::turns::lease::{keep_pings, renew_lease, take_leadership};
use crate::store::{Head, StoreError};

/// The order of a `seq` (P5.3).
enum Seq {
    /// The next one, or none given.
    Next,
    /// Taken before.
    Taken,
    /// A number after a gap.
    Gap,
}

impl Seq {
    fn of(seq: Option<u64>, taken: u64) -> Self {
        match seq {
            Some(seq) if seq <= taken => Self::Taken,
            Some(seq) if taken + 1 < seq => Self::Gap,
            Some(_) | None => Self::Next,
        }
    }
}

/// Answers an append whose id was taken before.
pub(crate) fn repeat(
    cx: &mut Context<'_>,
    append: &Append,
    known: &Known,
) -> Result<Answer, Error> {
    repeat_message(cx, append.serial, append.seq, known)
}

/// Takes an append. It is answered once it is stored.
pub(crate) fn append(
    cx: &mut Context<'_>,
    sender: &Sender,
    append: Append,
) -> Result<Answer, Error> {
    let place = cx.engine.place("append", append.serial)?;
    let Some(stream) = cx.engine.rollup.streams.get(&place) else {
        let head = cx.engine.existing("append", place)?;
        return append_to_closed(cx, sender, &append, &head);
    };
    let turn = stream.turn.as_deref();
    let drives = fence(
        cx,
        &Claim {
            verb: "append",
            sender,
            attempt: append.attempt,
        },
        turn,
    )?;
    may_append(cx, sender, &append, &stream.client)?;
    match Seq::of(append.seq, stream.seq) {
        Seq::Taken => {
            let repeat = Pending {
                place,
                seq: append.seq,
                is_duplicate: true,
            };
            return Ok(answer(cx, repeat, stored(cx, place)));
        }
        Seq::Gap => {
            return Err(gap("append", append.serial, stream.seq, stream.length()).into());
        }
        Seq::Next => {}
    }
    if !append.text().is_empty() {
        check_output(cx, "append", sender, stream.turn.is_some())?;
    }
    let bytes = stream.bytes + stream.pending.len() + append.text().len();
    let limit = cx.engine.limits.data_bytes();
    if limit < bytes {
        return Err(too_large("append", bytes, limit).into());
    }
    if append.text().is_empty() {
        cx.engine.check_space("append")?;
    } else {
        cx.engine.check_room("append")?;
    }
    if append.headers.is_some() {
        check_edits(cx, "append", append.headers.as_ref(), &stream.client)?;
    }
    let led = stream.turn.clone().filter(|_| drives);
    if stream.origin != sender.connection && cx.engine.rollup.is_unsettled(place) {
        // Held text belongs to another connection, which is not sent it back.
        cx.engine.settle()?;
    }
    let stored = take_text(cx, sender, &append, place)?;
    match led {
        // A growing message is itself the sign that its turn is alive, until it ends.
        Some(turn) if append.status.is_none() => {
            take_leadership(cx, sender, &turn)?;
        }
        Some(turn) => renew_lease(cx, sender, &turn)?,
        // The stream was the sign of its leader's life, and ends here.
        None if append.status.is_some() => keep_pings(cx)?,
        None => {}
    }
    let taken = Pending {
        place,
        seq: append.seq,
        is_duplicate: false,
    };
    Ok(answer(cx, taken, stored))
}

/// Takes the text of an append, and its end. Returns the message's version if all of it is stored.
fn take_text(
    cx: &mut Context<'_>,
    sender: &Sender,
    append: &Append,
    place: Place,
) -> Result<Option<Place>, StoreError> {
    let Engine {
        rollup, settings, ..
    } = &mut *cx.engine.state;
    if let Some(stream) = rollup.streams.get_mut(&place) {
        let turn = stream.turn.as_ref();
        let turn = turn.and_then(|turn| cx.memory.turns.get(turn));
        let lead = turn.and_then(|open| open.turn.lead());
        let leader = lead.map_or(&None, |lead| &lead.connection);
        stream.leader.clone_from(leader);
        stream.origin.clone_from(&sender.connection);
        stream.seq = append.seq.unwrap_or(stream.seq);
    }
    let length = units(append.text());
    let is_much = rollup.take(place, append.text(), length, cx.engine.now, settings);
    let end = append.end();
    if let Some(status) = end {
        let closing = Closing {
            status,
            headers: append.headers.clone(),
            client: Some(sender.client.clone()),
        };
        rollup.close(place, closing);
    }
    if append.id.is_some() {
        let id = cx.engine.take_frame_id(place);
        cx.engine.store_pending_with(id)?;
    }
    if end.is_some() || append.id.is_some() {
        cx.engine.flush_all()?;
        let version = stored(cx, place);
        cx.engine.retire();
        return Ok(version);
    }
    if is_much {
        cx.engine.flush()?;
        return Ok(stored(cx, place));
    }
    Ok(None)
}

/// The version of a streaming message without pending text.
fn stored(cx: &Context<'_>, place: Place) -> Option<Place> {
    if cx.engine.rollup.has_pending() {
        return None;
    }
    let stream = cx.engine.rollup.streams.get(&place);
    Some(stream.map_or(place, |stream| stream.version))
}

fn answer(cx: &Context<'_>, append: Pending, stored: Option<Place>) -> Answer {
    match stored {
        Some(version) => Answer::Now(append.outcome(cx.engine.epoch, version)),
        None => Answer::Pending(append),
    }
}

fn append_to_closed(
    cx: &Context<'_>,
    sender: &Sender,
    append: &Append,
    head: &Head,
) -> Result<Answer, Error> {
    let is_repeat = !head.is_deleted && append.seq.is_some_and(|seq| seq <= head.seq);
    let turn = head.turn.as_deref().filter(|turn| {
        // The end of a final turn is resent until it is acknowledged.
        !is_repeat || cx.memory.turns.contains_key(*turn)
    });
    fence(
        cx,
        &Claim {
            verb: "append",
            sender,
            attempt: append.attempt,
        },
        turn,
    )?;
    may_append(cx, sender, append, &head.client)?;
    if head.is_deleted {
        return Err(refused(append, ErrorCode::Deleted, "is deleted").into());
    }
    if is_repeat {
        return Ok(repeat_stored(cx, head, append.seq));
    }
    Err(refused(append, ErrorCode::Closed, "is closed").into())
}

/// Own messages need `publish`, others' need `edit` (P5.2).
fn may_append(
    cx: &Context<'_>,
    sender: &Sender,
    append: &Append,
    owner: &str,
) -> Result<(), ErrorInfo> {
    cx.engine
        .may_change("append", sender, owner)
        .map_err(|mut error| {
            error.message = format!("{}; message {} is {owner}'s", error.message, append.serial);
            error
        })
}

fn refused(append: &Append, code: ErrorCode, state: &str) -> ErrorInfo {
    ErrorInfo::new(
        code,
        format!("unable to append; message {} {state}", append.serial),
    )
}
