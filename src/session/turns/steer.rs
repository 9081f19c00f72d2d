//! Steering: instructions to a running turn, and whether they were taken (P6.7).

use crate::protocol::data::Data;
use crate::protocol::decode::{Steer, Steered, too_large};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, ServerFrame, TurnFrame};
use crate::protocol::limits::{TURN_STEERS, WAITING_STEERS};
use crate::protocol::message::{Headers, Message, Role};
use crate::protocol::serial::Place;
use crate::protocol::turn::{Event, Turn};
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Known, Sender, Step};
use crate::session::turns::instructions::{STEER, STEER_TURN, mark_steer, note_steer, waiting};
use crate::session::turns::leader::{Claim, check_leader};
use crate::session::turns::lease::renew_lease;
use crate::session::turns::shown::{answer_stored, closed_turn, find, shown, stored};
use crate::store::MessageWrite;

/// Answers a `steer` whose id was taken before.
pub(crate) fn repeat(cx: &mut Context<'_>, steer: &Steer, known: &Known) -> Result<Answer, Error> {
    let turn = find(cx, STEER, &steer.turn)?;
    let head = cx.engine.store.head(known.place)?;
    let is_same = head.is_some_and(|head| head.turn.as_ref() == Some(&steer.turn));
    known.must_be(if is_same { known.place } else { 0 })?;
    Ok(answer_steer(cx, known.place, &turn, true))
}

/// Passes an instruction to a turn: a message, and a frame about the turn, in one entry.
pub(crate) fn steer(cx: &mut Context<'_>, sender: &Sender, steer: Steer) -> Result<Answer, Error> {
    let turn = find(cx, STEER, &steer.turn)?;
    if !turn.is_open() {
        return Err(closed_turn(STEER, &turn).into());
    }
    let limit = cx.engine.limits.data_bytes();
    if limit < steer.data.bytes() {
        return Err(too_large(STEER, steer.data.bytes(), limit).into());
    }
    if TURN_STEERS <= turn.steers.len() {
        let message = format!(
            "unable to steer; turn {} was steered {TURN_STEERS} times",
            turn.id
        );
        return Err(ErrorInfo::new(ErrorCode::OverLimit, message).into());
    }
    check_waiting_steers(cx)?;
    cx.engine.check_room(STEER)?;
    cx.engine.settle()?;
    let mut step = cx.engine.step_by(sender);
    let place = tell_steer(cx, &mut step, sender, &steer);
    step.stands_for(place);
    cx.engine.commit(step)?;
    Ok(answer_steer(cx, place, &turn, false))
}

/// Whether one more instruction may wait.
pub(crate) fn check_waiting_steers(cx: &Context<'_>) -> Result<(), ErrorInfo> {
    let open = cx.memory.turns.values();
    let waits: usize = open.map(|open| waiting(&open.turn).len()).sum();
    if waits < WAITING_STEERS {
        return Ok(());
    }
    let message = format!("unable to steer; {WAITING_STEERS} steers wait in open turns");
    Err(ErrorInfo::new(ErrorCode::OverLimit, message))
}

fn tell_steer(cx: &mut Context<'_>, step: &mut Step, sender: &Sender, steer: &Steer) -> Place {
    let place = cx.engine.next_place();
    let serial = cx.engine.epoch.at(place);
    let message = Message {
        serial,
        version: serial,
        id: None,
        name: STEER.to_owned(),
        client: sender.client.clone(),
        connection: sender.connection.clone(),
        role: Role::User,
        turn: Some(steer.turn.clone()),
        parent: None,
        data: Some(steer.data.clone()),
        headers: Some(Headers::from([(STEER.to_owned(), "waiting".to_owned())])),
        status: None,
        seq: None,
        created_at: cx.engine.now,
        updated_at: cx.engine.now,
        annotations: None,
        deleted_at: None,
    };
    step.write(MessageWrite::Create(message.clone()));
    step.tell_of(STEER, ServerFrame::Create { message });
    pass_on(cx, step, &steer.turn, place, Some(steer.data.clone()));
    place
}

/// An instruction is the turn's, by the entry of its message.
fn pass_on(cx: &mut Context<'_>, step: &mut Step, id: &str, place: Place, data: Option<Data>) {
    let serial = cx.engine.epoch.at(place);
    note_steer(cx, step, id, place, false);
    if let Some(open) = cx.memory.turns.get(id) {
        step.tell(ServerFrame::Turn(TurnFrame {
            r#type: Event::Steer,
            serial,
            turn: shown(cx, open),
            message: Some(serial),
            data,
        }));
    }
}

/// An input that was just created is an instruction to the turn that answers (P10.3).
pub(crate) fn steer_by_input(
    cx: &mut Context<'_>,
    step: &mut Step,
    id: &str,
    place: Place,
    data: Option<Data>,
) {
    if let Some(open) = cx.memory.turns.get_mut(id) {
        open.turn.inputs.push(place);
    }
    pass_on(cx, step, id, place, data);
}

/// The headers of an input that is an instruction.
pub(crate) fn steering_headers(headers: Option<Headers>, id: &str) -> Option<Headers> {
    let mut headers = headers.unwrap_or_default();
    headers.insert(STEER.to_owned(), "waiting".to_owned());
    headers.insert(STEER_TURN.to_owned(), id.to_owned());
    Some(headers)
}

/// Refuses another answer to an input that is an instruction: a message is read by exactly one turn
/// (P10.3).
pub(crate) fn check_unread(cx: &Context<'_>, verb: &str, input: Place) -> Result<(), Error> {
    let store = &cx.engine.store;
    let Some((message, _)) = store.outline(cx.engine.epoch, input)? else {
        return Ok(());
    };
    let headers = message.headers.unwrap_or_default();
    let is_read = matches!(
        headers.get(STEER).map(String::as_str),
        Some("waiting" | "taken")
    );
    let Some(turn) = headers.get(STEER_TURN).filter(|_| is_read) else {
        return Ok(());
    };
    let message = format!("unable to {verb}; its input is an instruction to turn {turn}");
    Err(ErrorInfo::new(ErrorCode::Conflict, message).into())
}

fn answer_steer(cx: &Context<'_>, place: Place, turn: &Turn, duplicate: bool) -> Answer {
    Answer::Now(Outcome::Steered {
        serial: cx.engine.epoch.at(place),
        turn: Box::new(stored(cx, turn)),
        duplicate,
    })
}

/// Answers a `turn.steered` whose id was taken before.
pub(crate) fn repeat_steered(
    cx: &mut Context<'_>,
    steered: &Steered,
    known: &Known,
) -> Result<Answer, Error> {
    let turn = find(cx, known.verb, &steered.turn)?;
    let place = cx.engine.place(known.verb, steered.serial)?;
    let is_its = turn.steers.iter().any(|(steer, _)| *steer == place);
    known.must_be(if is_its { place } else { 0 })?;
    Ok(answer_stored(cx, &turn, true))
}

/// The leader takes an instruction.
pub(crate) fn steered(
    cx: &mut Context<'_>,
    sender: &Sender,
    steered: Steered,
) -> Result<Answer, Error> {
    const VERB: &str = "take the steer";
    let claim = Claim {
        verb: VERB,
        sender,
        attempt: steered.attempt,
    };
    check_leader(cx, &claim, &steered.turn)?;
    let place = cx.engine.place(VERB, steered.serial)?;
    let turn = find(cx, VERB, &steered.turn)?;
    let mut steers = turn.steers.iter();
    let Some((_, is_taken)) = steers.find(|(steer, _)| *steer == place) else {
        let message = format!(
            "unable to {VERB}; {} is none of turn {}",
            steered.serial, turn.id
        );
        return Err(ErrorInfo::new(ErrorCode::NotFound, message).into());
    };
    if *is_taken {
        return Ok(answer_stored(cx, &turn, true));
    }
    cx.engine.settle()?;
    let mut step = cx.engine.step_by(sender);
    mark_steer(cx, &mut step, place, "taken", 0)?;
    note_steer(cx, &mut step, &turn.id, place, true);
    step.stands_for(place);
    cx.engine.commit(step)?;
    renew_lease(cx, sender, &turn.id)?;
    Ok(answer_stored(cx, &turn, false))
}
