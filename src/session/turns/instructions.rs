//! Instructions as kept with their turn: waiting, taken or missed (P6.7).

use crate::protocol::data::Data;
use crate::protocol::frame::ServerFrame;
use crate::protocol::limits::PAGE_BYTES;
use crate::protocol::serial::Place;
use crate::protocol::turn::Turn;
use crate::session::context::Context;
use crate::session::engine::Step;
use crate::store::{Change, Kept, MessageWrite, NewFields, StoreError, TurnWrite};

/// The name of a message that is an instruction, and of the header with its outcome.
pub(crate) const STEER: &str = "steer";

/// The header of an input that is an instruction, with its turn.
pub(crate) const STEER_TURN: &str = "steer-turn";

/// The outcome of an input that its turn did not take: it is an input like any other (P10.3).
pub(crate) const REQUEUED: &str = "requeued";

/// The instructions not taken yet.
pub(crate) fn waiting(turn: &Turn) -> Vec<Place> {
    let waiting = turn.steers.iter().filter(|(_, is_taken)| !is_taken);
    waiting.map(|(place, _)| *place).collect()
}

/// The inputs among the instructions that are not taken yet (P10.3).
pub(crate) fn waiting_inputs(turn: &Turn) -> impl Iterator<Item = Place> {
    let waiting = turn.steers.iter().filter(|(_, is_taken)| !is_taken);
    let places = waiting.map(|(place, _)| *place);
    places.filter(|place| turn.inputs.contains(place))
}

/// Inputs that wait in turns are not to be answered any more (P6.5): they will be missed.
pub(crate) fn give_up_inputs(
    cx: &mut Context<'_>,
    step: &mut Step,
    is_meant: impl Fn(Place) -> bool,
) -> Vec<Place> {
    let mut given_up = Vec::new();
    for open in cx.memory.turns.values_mut() {
        let meant: Vec<Place> = waiting_inputs(&open.turn)
            .filter(|it| is_meant(*it))
            .collect();
        if meant.is_empty() {
            continue;
        }
        open.turn.inputs.retain(|place| !meant.contains(place));
        step.write(TurnWrite::Row(Kept {
            turn: open.turn.clone(),
            heard_at: open.kept_at,
        }));
        given_up.extend(meant);
    }
    given_up
}

/// Marks an instruction as taken or not in its turn.
pub(crate) fn note_steer(
    cx: &mut Context<'_>,
    step: &mut Step,
    id: &str,
    place: Place,
    is_taken: bool,
) {
    if let Some(open) = cx.memory.turns.get_mut(id) {
        let steers = &mut open.turn.steers;
        match steers.iter_mut().find(|(steer, _)| *steer == place) {
            Some((_, known)) => *known = is_taken,
            None => steers.push((place, is_taken)),
        }
        step.write(TurnWrite::Row(Kept {
            turn: open.turn.clone(),
            heard_at: open.kept_at,
        }));
    }
}

/// Writes an instruction's outcome into its header, for its sender. The frame includes its data
/// where there is room; returns how much room that takes.
pub(crate) fn mark_steer(
    cx: &mut Context<'_>,
    step: &mut Step,
    place: Place,
    word: &str,
    room: usize,
) -> Result<usize, StoreError> {
    let outline = cx.engine.store.outline(cx.engine.epoch, place)?;
    let Some((mut message, bytes)) = outline.filter(|(it, _)| it.deleted_at.is_none()) else {
        return Ok(0);
    };
    let mut told = bytes;
    if bytes <= room {
        let whole = cx.engine.store.message(cx.engine.epoch, place)?;
        let data = whole.and_then(|it| it.data);
        told = data.as_ref().map_or(0, Data::json_bytes);
        message.data = data.filter(|_| told <= room);
    }
    let version = cx.engine.next_place();
    let mut headers = message.headers.take().unwrap_or_default();
    headers.insert(STEER.to_owned(), word.to_owned());
    if word == REQUEUED {
        headers.remove(STEER_TURN);
    }
    step.write(MessageWrite::Update(NewFields {
        place,
        version,
        seq: 0,
        data: None,
        headers: Some(serde_json::json!(headers).to_string()),
        status: None,
        is_streaming: false,
        at: cx.engine.now,
    }));
    step.change_of_session(version, Change::Update, place);
    message.version = cx.engine.epoch.at(version);
    message.headers = Some(headers);
    message.updated_at = cx.engine.now;
    let name = message.name.clone();
    step.tell_of(&name, ServerFrame::Update { message });
    Ok(told)
}

/// Instructions that a lost attempt took wait again, for the next one (P6.8).
pub(crate) fn renew_steers(
    cx: &mut Context<'_>,
    step: &mut Step,
    id: &str,
) -> Result<(), StoreError> {
    let steers = cx.memory.turns.get(id).map(|open| open.turn.steers.clone());
    let taken = steers
        .into_iter()
        .flatten()
        .filter(|(_, is_taken)| *is_taken);
    // An agent that takes the turn over may never have received them.
    let mut room = PAGE_BYTES;
    for (place, _) in taken.collect::<Vec<_>>() {
        let bytes = mark_steer(cx, step, place, "waiting", room)?;
        room = room.saturating_sub(bytes);
        note_steer(cx, step, id, place, false);
    }
    Ok(())
}
