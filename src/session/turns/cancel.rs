//! Control: cancel and interrupt (P6.5, P6.6).

use crate::ordered::sort_by_number;
use crate::protocol::capability::Operation;
use crate::protocol::decode::{CancelTurns, Interrupt};
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, encode};
use crate::protocol::limits::LIST_BYTES;
use crate::protocol::serial::Place;
use crate::protocol::turn::{Cancel, Shown, State, Turn};
use crate::session::context::Context;
use crate::session::engine::{Answer, Error, Known, Sender, Step};
use crate::session::turns::change::{asked, cancel_turn};
use crate::session::turns::instructions::give_up_inputs;
use crate::session::turns::shown::{find, missing_turn, open_ids, stored};
use crate::session::waking::owe::{take_back, taken};
use crate::store::{MessageWrite, StoreError};

/// The target of a `cancel`.
enum Target {
    Turn(Box<Turn>),
    Input(Place),
    All,
}

impl Target {
    fn of(cx: &Context<'_>, frame: &CancelTurns) -> Result<Self, Error> {
        if let Some(id) = &frame.turn {
            return Ok(Self::Turn(Box::new(find(cx, "cancel", id)?)));
        }
        let input = cx.engine.message_place("cancel", frame.input)?;
        Ok(input.map_or(Self::All, Self::Input))
    }

    /// The place that the frame's id stands for: no entry has 0, the place of all.
    fn place(&self) -> Place {
        match self {
            Self::Turn(turn) => turn.place,
            Self::Input(place) => *place,
            Self::All => 0,
        }
    }

    /// The targeted turns.
    fn turns(self, cx: &Context<'_>) -> Vec<Turn> {
        let open = cx.memory.turns.values().map(|open| &open.turn);
        let mut turns: Vec<Turn> = match self {
            Self::Turn(turn) => vec![*turn],
            Self::Input(place) => {
                let answering = open.filter(|turn| turn.input == Some(place));
                answering.cloned().collect()
            }
            Self::All => open.cloned().collect(),
        };
        sort_by_number(&mut turns, |turn| turn.place);
        turns
    }
}

/// Answers a `cancel` whose id was taken before.
pub(crate) fn repeat(
    cx: &mut Context<'_>,
    frame: &CancelTurns,
    known: &Known,
) -> Result<Answer, Error> {
    let target = Target::of(cx, frame)?;
    known.must_be(target.place())?;
    let turns = target.turns(cx);
    let turns = turns.iter().map(|turn| stored(cx, turn)).collect();
    Ok(answer_turns(cx, turns, true))
}

/// Cancels turns. Their leaders are expected to stop; a turn that does not is ended after
/// `cancelGraceMs`.
pub(crate) fn cancel(
    cx: &mut Context<'_>,
    sender: &Sender,
    frame: CancelTurns,
) -> Result<Answer, Error> {
    let target = Target::of(cx, &frame)?;
    let stands_for = target.place();
    let input = match target {
        Target::Input(place) => Some(place),
        Target::Turn(_) | Target::All => None,
    };
    let meant = target.turns(cx);
    let is_new = |turn: &Turn| turn.is_open() && turn.cancel.is_none();
    let input = match input {
        Some(place) if cx.engine.store.cancel_of_input(place)?.is_some() => None,
        input => input,
    };
    if input.is_some() || meant.iter().any(is_new) {
        cx.engine.settle()?;
    }
    let cancel = asked(sender, cx.engine.now, frame.reason);
    let mut step = cx.engine.step_by(sender);
    if let Some(place) = input {
        let cancel = cancel.clone();
        step.write(MessageWrite::CancelInput { place, cancel });
    }
    let is_all = stands_for == 0;
    let mut given_up = give_up_inputs(cx, &mut step, |place| is_all || input == Some(place));
    match input {
        Some(place) => taken(cx, &mut step, place),
        None if is_all => given_up.extend(take_back(cx, &mut step)),
        None => {}
    }
    for place in given_up.into_iter().filter(|_| is_all) {
        let cancel = cancel.clone();
        step.write(MessageWrite::CancelInput { place, cancel });
    }
    let mut cancelled = Vec::with_capacity(meant.len());
    for turn in &meant {
        cancelled.push(cancel_turn(cx, &mut step, &turn.id, &cancel)?);
    }
    step.stands_for(stands_for);
    cx.engine.commit(step)?;
    let mut turns = Vec::with_capacity(meant.len());
    for (turn, shown) in meant.iter().zip(cancelled) {
        turns.push(match shown {
            Some(shown) => shown,
            // It was cancelled with the turn within which it ran.
            None if turn.is_open() => stored(cx, &find(cx, "cancel", &turn.id)?),
            None => stored(cx, turn),
        });
    }
    Ok(answer_turns(cx, turns, false))
}

/// Cancels every open turn, and the inputs that wait in them.
pub(crate) fn cancel_all(
    cx: &mut Context<'_>,
    step: &mut Step,
    cancel: &Cancel,
) -> Result<(), StoreError> {
    for place in give_up_inputs(cx, step, |_| true) {
        let cancel = cancel.clone();
        step.write(MessageWrite::CancelInput { place, cancel });
    }
    for turn in Target::All.turns(cx) {
        cancel_turn(cx, step, &turn.id, cancel)?;
    }
    Ok(())
}

/// Answers with turns, or with their ids where they are too long for an ack (P13.5).
fn answer_turns(cx: &mut Context<'_>, turns: Vec<Shown>, duplicate: bool) -> Answer {
    let bytes = encode(&turns).len();
    // The answer costs the same, whether it is sent or not.
    cx.engine.out.made += bytes;
    let result = if LIST_BYTES < bytes {
        let turn_ids = turns.into_iter().map(Shown::into_id).collect();
        Outcome::TurnIds {
            turn_ids,
            duplicate,
        }
    } else {
        Outcome::Turns { turns, duplicate }
    };
    Answer::Now(result)
}

/// Cancels the turns that a `publish` interrupts, in the same step (P6.6).
pub(crate) fn interrupt(
    cx: &mut Context<'_>,
    step: &mut Step,
    sender: &Sender,
    interrupt: &Interrupt,
) -> Result<(), Error> {
    let ids = match interrupt {
        Interrupt::None => Vec::new(),
        Interrupt::Turn(id) => vec![id.clone()],
        Interrupt::All => active_turns(cx, |_| true),
    };
    let cancel = asked(sender, cx.engine.now, None);
    for id in ids {
        cancel_turn(cx, step, &id, &cancel)?;
    }
    Ok(())
}

/// Whether a `publish` may interrupt its target.
pub(crate) fn check_interrupt(
    cx: &Context<'_>,
    sender: &Sender,
    interrupt: &Interrupt,
) -> Result<(), Error> {
    if *interrupt == Interrupt::None {
        return Ok(());
    }
    sender.must(Operation::Cancel, "interrupt", &cx.engine.id)?;
    if let Interrupt::Turn(id) = interrupt
        && !cx.memory.turns.contains_key(id)
        && cx.engine.store.turn(id)?.is_none()
    {
        return Err(missing_turn("interrupt", id).into());
    }
    Ok(())
}

/// Whether a turn of a message outlives what the publish interrupts, which `ends` says of a turn: a
/// suspended one ends at once, also within another, and takes no message.
pub(crate) fn check_outlives(
    cx: &Context<'_>,
    ends: impl Fn(&Turn) -> bool,
    id: &str,
) -> Result<(), ErrorInfo> {
    let open = cx.memory.turns.get(id).map(|open| &open.turn);
    let mut around = open.filter(|turn| !matches!(turn.state, State::Active(_)));
    while let Some(turn) = around {
        if ends(turn) {
            let message = format!("unable to publish; turn {id} ends with the interrupt");
            return Err(ErrorInfo::new(ErrorCode::TurnClosed, message));
        }
        let within = turn.within.as_ref();
        let within = within.and_then(|within| cx.memory.turns.get(&within.turn));
        around = within.map(|open| &open.turn);
    }
    Ok(())
}

/// Whether a publish interrupts a turn by what it says.
pub(crate) fn is_interrupted(interrupt: &Interrupt, turn: &Turn) -> bool {
    match interrupt {
        Interrupt::None => false,
        Interrupt::Turn(id) => turn.id == *id,
        Interrupt::All => matches!(turn.state, State::Active(_)) && turn.cancel.is_none(),
    }
}

/// The active turns, in the order in which they began.
pub(crate) fn active_turns(cx: &Context<'_>, is_meant: impl Fn(&Turn) -> bool) -> Vec<String> {
    open_ids(cx, |turn| {
        matches!(turn.state, State::Active(_)) && is_meant(turn)
    })
}
