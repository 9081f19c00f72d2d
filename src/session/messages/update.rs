//! Messages are updated (P4.3).

use crate::protocol::data::{Data, units};
use crate::protocol::decode::{Update, too_large};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::ServerFrame;
use crate::protocol::message::{Status, as_json};
use crate::session::context::Context;
use crate::session::engine::{Answer, Closing, Error, Known, Sender, Stream};
use crate::session::handover::check::check_output;
use crate::session::messages::edits::check_edits;
use crate::session::messages::standing::{
    changed_turn, check_version, deleted, gap, outcome, repeat_message, repeat_settled, standing,
};
use crate::session::turns::leader::{Claim, fence};
use crate::store::{Change, Head, MessageWrite, NewFields, StoreError};

/// Answers an update whose id was taken before.
pub(crate) fn repeat(
    cx: &mut Context<'_>,
    update: &Update,
    known: &Known,
) -> Result<Answer, Error> {
    repeat_message(cx, update.serial, update.seq, known)
}

/// Replaces the given fields of a message.
pub(crate) fn update(
    cx: &mut Context<'_>,
    sender: &Sender,
    update: Update,
) -> Result<Answer, Error> {
    let head = standing(cx, "update", update.serial)?;
    let is_repeat = is_repeat(&update, &head);
    let drives = match &head.turn {
        // An update that a final turn took is resent until it is acknowledged.
        Some(turn) if is_repeat && !cx.memory.turns.contains_key(turn) => false,
        turn => fence(
            cx,
            &Claim {
                verb: "update",
                sender,
                attempt: update.attempt,
            },
            turn.as_deref(),
        )?,
    };
    cx.engine.may_change("update", sender, &head.client)?;
    if head.is_deleted {
        return Err(deleted("update", update.serial).into());
    }
    if is_repeat {
        return repeat_settled(cx, head.place, update.seq);
    }
    if update.data.is_some() {
        check_output(cx, "update", sender, head.turn.is_some())?;
    }
    check_version(cx, "update", update.serial, update.if_version, &head)?;
    check_update(cx, &update, &head)?;
    check_edits(cx, "update", update.headers.as_ref(), &head.client)?;
    cx.engine.check_room("update")?;
    // From here on the update is taken: a refused one must end nobody's window.
    cx.engine.settle()?;
    replace(cx, sender, &update, &head)?;
    let seq = update.seq;
    let version = cx.engine.end;
    let Some((mut message, bytes)) = cx.engine.store.outline(cx.engine.epoch, head.place)? else {
        return Err(StoreError("the message that was updated is not there".into()).into());
    };
    // Readers have the unchanged fields (P4.4); the row was rewritten all the same.
    cx.engine.out.made += bytes;
    message.data = update.data;
    cx.engine
        .broadcast(&ServerFrame::Update { message }, Some(&head.name));
    changed_turn(cx, sender, &head, drives)?;
    Ok(Answer::Now(outcome(cx, head.place, version, seq)))
}

/// Stores an update, and applies its changes to a streaming message.
fn replace(
    cx: &mut Context<'_>,
    sender: &Sender,
    update: &Update,
    head: &Head,
) -> Result<(), StoreError> {
    let (place, version) = (head.place, cx.engine.next_place());
    let (now, seq) = (cx.engine.now, update.seq.unwrap_or(head.seq));
    let mut step = cx.engine.step_by(sender);
    step.stands_for(place);
    step.settles = update.status.is_some();
    match (update.status, &update.data) {
        (Some(status), None) => {
            let closing = Closing {
                status,
                headers: update.headers.clone(),
                client: Some(sender.client.clone()),
            };
            step.close(place, version, seq, &closing);
        }
        (status, data) => {
            step.write(MessageWrite::Update(NewFields {
                place,
                version,
                seq,
                data: data.clone(),
                headers: update.headers.as_ref().map(as_json),
                status,
                is_streaming: head.status == Some(Status::Streaming) && status.is_none(),
                at: now,
            }));
            step.change(version, Change::Update, place);
        }
    }
    cx.engine.commit(step)?;
    if update.status.is_some() {
        cx.engine.state.rollup.streams.remove(&place);
    } else if let Some(stream) = cx.engine.state.rollup.streams.get_mut(&place) {
        stream.seq = seq;
        stream.heard_at = now;
        match &update.data {
            Some(Data::Text(text)) => stream.replace(version, units(text), text.len()),
            Some(Data::Json(_)) | None => stream.version = version,
        }
    }
    Ok(())
}

fn check_update(cx: &Context<'_>, update: &Update, head: &Head) -> Result<(), ErrorInfo> {
    let refused = |code, reason: &str| {
        let message = format!("unable to update; message {} {reason}", update.serial);
        Err(ErrorInfo::new(code, message))
    };
    let is_streaming = head.status == Some(Status::Streaming);
    if update.data.is_none() && update.headers.is_none() && update.status.is_none() {
        let message = "unable to update; none of data, headers and status are given";
        return Err(ErrorInfo::new(ErrorCode::InvalidFrame, message));
    }
    if update.status.is_some() && !is_streaming {
        return refused(ErrorCode::Closed, "is closed");
    }
    let is_kept = update.data.is_none() && update.status.is_some();
    if let Some(seq) = update.seq.filter(|_| is_kept)
        && head.seq + 1 < seq
    {
        // The update keeps the text, which lacks the appends before this `seq` (P5.3).
        let length = cx.engine.rollup.streams.get(&head.place);
        let length = length.map_or(0, Stream::length);
        return Err(gap("update", update.serial, head.seq, length));
    }
    let Some(data) = &update.data else {
        return Ok(());
    };
    if is_streaming && update.status.is_none() && !matches!(data, Data::Text(_)) {
        return refused(ErrorCode::InvalidFrame, "streams, data is not text");
    }
    let limit = cx.engine.limits.data_bytes();
    if limit < data.bytes() {
        return Err(too_large("update", data.bytes(), limit));
    }
    Ok(())
}

/// Whether an update was taken before, or its text is older than the message's (P5.3).
fn is_repeat(update: &Update, head: &Head) -> bool {
    let is_closed = update.status.is_some() && head.status != Some(Status::Streaming);
    let is_taken = |seq: u64| seq < head.seq || is_closed && seq == head.seq;
    !head.is_deleted && update.seq.is_some_and(is_taken)
}
