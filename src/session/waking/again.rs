//! `POST …/wake`: wakes that were given up go out again (P10.3).

use serde::Serialize;

use crate::protocol::agent::AskWake;
use crate::protocol::capability::Operation;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::serial::{Place, Serial};
use crate::session::context::Context;
use crate::session::deliveries::part::stir;
use crate::session::engine::{Error, Sender};
use crate::session::waking::owe::WAKE;
use crate::store::Write;

const VERB: &str = "wake the agent";

#[derive(Serialize)]
struct Woken {
    woken: Vec<Subject>,
}

#[derive(Serialize)]
struct Subject {
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Serial>,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u64>,
}

/// Sends all dead letters again, or what is owed for one input or turn. The answer has their
/// inputs and turns.
pub(crate) fn wake(cx: &mut Context<'_>, sender: &Sender, ask: &AskWake) -> Result<String, Error> {
    sender.must(Operation::Admin, VERB, &cx.engine.id)?;
    if cx.engine.agent().is_none() {
        let message = format!("unable to {VERB}; session {} has no agent", cx.engine.id);
        return Err(ErrorInfo::new(ErrorCode::Conflict, message).into());
    }
    let meant = meant(cx, ask)?;
    let now = cx.engine.now;
    let (mut writes, mut woken) = (Vec::new(), Vec::new());
    for place in meant {
        let Some(write) = cx.memory.deliveries.again(now, WAKE, place) else {
            continue;
        };
        writes.push(Write::Delivery(write));
        woken.push(subject(cx, place));
    }
    if !writes.is_empty() {
        cx.engine.write_beside(&writes)?;
        cx.memory.wakes.is_stale = true;
        stir(cx);
    }
    Ok(serde_json::to_string(&Woken { woken }).unwrap_or_default())
}

/// The places that a request means: of everything that is owed, or dead, those that it names.
fn meant(cx: &Context<'_>, ask: &AskWake) -> Result<Vec<Place>, Error> {
    let queue = &cx.memory.deliveries;
    let dead: Vec<Place> = queue.letters(WAKE).collect();
    if ask.input.is_none() && ask.turn.is_none() {
        return Ok(dead);
    }
    let input = cx.engine.message_place(VERB, ask.input)?;
    let open = cx.memory.turns.values().map(|open| &open.turn);
    let turns = open.filter(|turn| match (&ask.turn, input) {
        (Some(id), _) => turn.id == *id,
        (None, input) => turn.input == input,
    });
    let named: Vec<Place> = turns.map(|turn| turn.place).chain(input).collect();
    let owed = queue.subjects(WAKE).map(|(place, _)| place);
    let meant: Vec<Place> = owed.chain(dead).filter(|it| named.contains(it)).collect();
    if meant.is_empty() {
        let message = format!("unable to {VERB}; it is owed nothing of that");
        return Err(ErrorInfo::new(ErrorCode::NotFound, message).into());
    }
    Ok(meant)
}

fn subject(cx: &Context<'_>, place: Place) -> Subject {
    let mut open = cx.memory.turns.values().map(|open| &open.turn);
    let turn = open.find(|turn| turn.place == place);
    let input = turn.map_or(Some(place), |turn| turn.input);
    Subject {
        input: input.map(|input| cx.engine.epoch.at(input)),
        turn: turn.map(|turn| turn.id.clone()),
        attempt: turn.map(|turn| turn.attempt),
    }
}
