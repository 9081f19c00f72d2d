//! The standing of a message, for handlers that change it (P4.3).

use crate::protocol::error::{Details, ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, Placed};
use crate::protocol::serial::{Place, Serial};
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Known, Pending, Sender};
use crate::session::turns::lease::{keep_pings, renew_lease};
use crate::store::{Head, StoreError};

/// A message as it will be once all accepted text is stored: most decisions need no store before.
pub(crate) fn standing(cx: &Context<'_>, verb: &str, serial: Serial) -> Result<Head, Error> {
    let place = cx.engine.place(verb, serial)?;
    let mut head = cx.engine.existing(verb, place)?;
    if let Some(stream) = cx.engine.rollup.streams.get(&place) {
        head.seq = stream.seq;
    }
    Ok(head)
}

pub(crate) fn check_version(
    cx: &Context<'_>,
    verb: &str,
    serial: Serial,
    wanted: Option<Serial>,
    head: &Head,
) -> Result<(), ErrorInfo> {
    let Some(wanted) = wanted else {
        return Ok(());
    };
    let stream = cx.engine.rollup.streams.get(&head.place);
    let grows = stream.is_some_and(|stream| 0 < stream.pending_units);
    let stands = cx.engine.epoch.at(head.version);
    if wanted == stands && !grows {
        return Ok(());
    }
    let reason = if grows {
        format!("message {serial} is growing beyond version {stands}")
    } else {
        format!("message {serial} has version {stands}, not {wanted}")
    };
    let message = format!("unable to {verb}; {reason}");
    Err(ErrorInfo::new(ErrorCode::Conflict, message))
}

/// Renews the lease after a change that may be its leader's sign of life.
pub(crate) fn changed_turn(
    cx: &mut Context<'_>,
    sender: &Sender,
    head: &Head,
    drives: bool,
) -> Result<(), StoreError> {
    match &head.turn {
        Some(turn) if drives => renew_lease(cx, sender, turn),
        // The stream may have been the sign of its leader's life until now.
        Some(_) => keep_pings(cx),
        None => Ok(()),
    }
}

/// Answers a repeat of stored text.
pub(crate) fn repeat_stored(cx: &Context<'_>, head: &Head, seq: Option<u64>) -> Answer {
    let repeat = Pending {
        place: head.place,
        seq,
        is_duplicate: true,
    };
    Answer::Now(repeat.outcome(cx.engine.epoch, head.version))
}

/// Answers a repeat with the message's current state, which may have to be stored first.
pub(crate) fn repeat_settled(
    cx: &mut Context<'_>,
    place: Place,
    seq: Option<u64>,
) -> Result<Answer, Error> {
    cx.engine.settle()?;
    let head = cx.engine.existing("change", place)?;
    Ok(repeat_stored(cx, &head, seq))
}

/// Answers a frame about a message whose id was taken before.
pub(crate) fn repeat_message(
    cx: &mut Context<'_>,
    serial: Serial,
    seq: Option<u64>,
    known: &Known,
) -> Result<Answer, Error> {
    let place = cx.engine.place(known.verb, serial)?;
    known.must_be(place)?;
    repeat_settled(cx, place, seq)
}

pub(crate) fn outcome(cx: &Context<'_>, place: Place, version: Place, seq: Option<u64>) -> Outcome {
    let mut placed = Placed::new(cx.engine.epoch.at(place), cx.engine.epoch.at(version));
    placed.seq = seq;
    Outcome::Changed(placed)
}

pub(crate) fn deleted(verb: &str, serial: Serial) -> ErrorInfo {
    ErrorInfo::new(
        ErrorCode::Deleted,
        format!("unable to {verb}; message {serial} is deleted"),
    )
}

/// The error for a sender that skips appends (P5.3).
pub(crate) fn gap(verb: &str, serial: Serial, taken: u64, length: u64) -> ErrorInfo {
    let expected_seq = taken + 1;
    let reason = format!("expects seq {expected_seq} and holds {length}");
    let message = format!("unable to {verb}; message {serial} {reason}");
    ErrorInfo {
        details: Some(Details::Gap {
            expected_seq,
            length,
        }),
        ..ErrorInfo::new(ErrorCode::Gap, message)
    }
}
