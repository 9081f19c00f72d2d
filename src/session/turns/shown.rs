//! Turns as shown, listed and answered (P6.9, P6.10).

use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, ServerFrame, TurnFrame};
use crate::protocol::limits::LIST_BYTES;
use crate::protocol::serial::Place;
use crate::protocol::turn::{Event, Shown, State, Turn};
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Known, brief, in_order};
use crate::session::turns::lease::lease_until;
use crate::session::turns::state::OpenTurn;
use crate::store::StoreError;

/// A turn as shown to readers.
pub(crate) fn shown(cx: &Context<'_>, open: &OpenTurn) -> Shown {
    let until = match &open.turn.state {
        State::Active(_) => Some(lease_until(cx, open)),
        _ => None,
    };
    open.turn.shown(cx.engine.epoch, until)
}

/// A turn as shown to readers, which may be final.
pub(crate) fn stored(cx: &Context<'_>, turn: &Turn) -> Shown {
    match cx.memory.turns.get(&turn.id) {
        Some(open) => shown(cx, open),
        None => turn.shown(cx.engine.epoch, None),
    }
}

pub(crate) fn turn_frame(cx: &Context<'_>, event: Event, place: Place, turn: Shown) -> ServerFrame {
    ServerFrame::Turn(TurnFrame {
        r#type: event,
        serial: cx.engine.epoch.at(place),
        turn,
        message: None,
        data: None,
    })
}

/// A turn by its id, open or final.
pub(crate) fn find(cx: &Context<'_>, verb: &str, id: &str) -> Result<Turn, Error> {
    let turn = match cx.memory.turns.get(id) {
        Some(open) => Some(open.turn.clone()),
        None => cx.engine.store.turn(id)?,
    };
    Ok(turn.ok_or_else(|| missing_turn(verb, id))?)
}

/// The answer with a turn as stored.
pub(crate) fn answer_stored(cx: &Context<'_>, turn: &Turn, duplicate: bool) -> Answer {
    let turn = Box::new(stored(cx, turn));
    Answer::Now(Outcome::Turn { turn, duplicate })
}

/// The answer with a changed turn.
pub(crate) fn answer_changed(turn: Option<Shown>) -> Result<Answer, Error> {
    let missing = || StoreError("the turn that was changed is not there".into());
    let turn = Box::new(turn.ok_or_else(missing)?);
    let duplicate = false;
    Ok(Answer::Now(Outcome::Turn { turn, duplicate }))
}

/// Answers a frame about a turn whose id was taken before.
pub(crate) fn repeat_by_id(cx: &Context<'_>, id: &str, known: &Known) -> Result<Answer, Error> {
    let turn = find(cx, known.verb, id)?;
    known.must_be(turn.place)?;
    Ok(answer_stored(cx, &turn, true))
}

/// The open turns, in the order in which they began.
pub(crate) fn open_turns(cx: &Context<'_>) -> Vec<Shown> {
    let open = in_order(cx.memory.turns.values(), |open| open.turn.place);
    open.into_iter().map(|open| shown(cx, open)).collect()
}

/// The ids of some of the open turns, in the order in which they began.
pub(crate) fn open_ids(cx: &Context<'_>, is_meant: impl Fn(&Turn) -> bool) -> Vec<String> {
    let open = cx.memory.turns.values().map(|open| &open.turn);
    let meant = in_order(open.filter(|turn| is_meant(turn)), |turn| turn.place);
    meant.into_iter().map(|turn| turn.id.clone()).collect()
}

/// The open turns for `attached`, which leaves a long list to `GET …/turns`.
pub(crate) fn brief_turns(cx: &Context<'_>) -> Option<Vec<Shown>> {
    brief(open_turns(cx).into_iter(), LIST_BYTES)
}

/// The final ones of these turns.
pub(crate) fn final_turns(cx: &Context<'_>, mut ids: Vec<String>) -> Result<Vec<Turn>, StoreError> {
    ids.retain(|id| !cx.memory.turns.contains_key(id));
    cx.engine.store.named_turns(&ids)
}

/// The frame that brings a reader's turn up to date (P3.5).
pub(crate) fn latest_frame(cx: &Context<'_>, turn: &Turn) -> ServerFrame {
    turn_frame(cx, turn.event, turn.version, stored(cx, turn))
}

pub(crate) fn missing_turn(verb: &str, id: &str) -> ErrorInfo {
    let message = format!("unable to {verb}; there is no turn {id}");
    ErrorInfo::new(ErrorCode::NotFound, message)
}

/// The refusal of a frame about a closed turn.
pub(crate) fn closed_turn(verb: &str, turn: &Turn) -> ErrorInfo {
    let status = serde_json::json!(turn.status());
    let status = status.as_str().unwrap_or_default();
    let message = format!("unable to {verb}; turn {} is {status}", turn.id);
    ErrorInfo::new(ErrorCode::TurnClosed, message)
}
