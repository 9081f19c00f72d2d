//! Turns change: every change goes through [`change_turn`], every end through [`finish_turn`].

use crate::protocol::data::Data;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::hooks::HookEvent;
use crate::protocol::ids::Timestamp;
use crate::protocol::message::Status as MessageStatus;
use crate::protocol::serial::Place;
use crate::protocol::turn::{Cancel, Ending, Event, Lead, Shown, State, Turn, Within};
use crate::protocol::usage::Usage;
use crate::session::context::Context;
use crate::session::deliveries::hooks;
use crate::session::engine::{Closing, Sender, Step};
use crate::session::handover::check::keep_inputs;
use crate::session::turns::instructions::{REQUEUED, mark_steer, waiting, waiting_inputs};
use crate::session::turns::lease::stir;
use crate::session::turns::shown::{open_ids, shown, turn_frame};
use crate::session::turns::state::OpenTurn;
use crate::session::waking::owe::turn_changed;
use crate::store::{Kept, MessageWrite, StoreError, TurnWrite};

/// The prefix of turn names made by the session, followed by the serial of the turn.
pub(crate) const NAME: &str = "turn-";

/// The reason of a cancel of what ran within a turn that has ended (P6.11).
const PARENT_ENDED: &str = "parent-ended";

/// How a turn ends, and why.
pub(crate) struct End<'a> {
    pub(crate) ending: Ending,
    pub(crate) reason: Option<&'a str>,
    pub(crate) error: Option<Data>,
}

/// A turn that begins with the next entry, without a leader.
pub(crate) fn new_turn(cx: &Context<'_>, id: Option<String>, input: Option<Place>) -> Turn {
    let place = cx.engine.end + 1;
    Turn {
        place,
        version: place,
        event: Event::Queue,
        id: id.unwrap_or_else(|| format!("{NAME}{}", cx.engine.epoch.at(place))),
        agent: None,
        input,
        parent: None,
        within: None,
        attempt: 1,
        attempt_place: place,
        steers: Vec::new(),
        inputs: Vec::new(),
        created_at: cx.engine.now,
        started_at: None,
        cancel: None,
        metadata: None,
        traceparent: None,
        usage: Usage::default(),
        state: State::Queued,
    }
}

/// Follows a turn from now on.
pub(crate) fn hold_turn(cx: &mut Context<'_>, turn: Turn) {
    let open = OpenTurn {
        turn,
        heard_at: cx.engine.now,
        perhaps_at: cx.engine.now,
        kept_at: cx.engine.now,
    };
    cx.memory.turns.insert(open.turn.id.clone(), open);
}

/// The open turns, with those that the inputs which wait in them will be (P10.3).
pub(crate) fn turns_to_be(cx: &Context<'_>) -> usize {
    let open = cx.memory.turns.values();
    let waiting: usize = open.map(|open| waiting_inputs(&open.turn).count()).sum();
    cx.memory.turns.len() + waiting
}

/// Queues an input: as a turn without a leader.
pub(crate) fn queue_input(
    cx: &mut Context<'_>,
    step: &mut Step,
    input: Place,
    traceparent: Option<String>,
) {
    let turn = Turn {
        traceparent,
        ..new_turn(cx, None, Some(input))
    };
    let id = turn.id.clone();
    hold_turn(cx, turn);
    change_turn(cx, step, &id, Event::Queue, |_| {});
}

pub(crate) fn check_open_turns(cx: &Context<'_>, verb: &str, more: usize) -> Result<(), ErrorInfo> {
    let limit = cx.engine.limits.open_turns();
    if turns_to_be(cx) + more <= limit {
        return Ok(());
    }
    let message = format!("unable to {verb}; {limit} turns are open already");
    Err(ErrorInfo::new(ErrorCode::OverLimit, message))
}

/// Gives a queued turn to the client of the step.
pub(crate) fn take_turn(
    cx: &mut Context<'_>,
    step: &mut Step,
    id: &str,
    lead: Lead,
    change: impl FnOnce(&mut Turn),
) -> Option<Shown> {
    let now = cx.engine.now;
    if let Some(open) = cx.memory.turns.get_mut(id) {
        open.heard_at = now;
        open.perhaps_at = now;
    }
    let place = cx.engine.end + 1;
    let agent = step.by().map(str::to_owned);
    change_turn(cx, step, id, Event::Start, |turn| {
        turn.agent = agent;
        turn.attempt_place = place;
        turn.started_at.get_or_insert(now);
        turn.state = State::Active(lead);
        change(turn);
    })
}

/// Gives a change of a turn its place, stores it and sends its frame.
pub(crate) fn change_turn(
    cx: &mut Context<'_>,
    step: &mut Step,
    id: &str,
    event: Event,
    change: impl FnOnce(&mut Turn),
) -> Option<Shown> {
    cx.engine.next_place();
    let open = cx.memory.turns.get_mut(id)?;
    change(&mut open.turn);
    put_turn(cx, step, id, event, Stored::Entry)
}

/// The same as part of the entry before it in the step: a request suspends its turn, and the last
/// of them to be settled resumes it (P8.4). Both are frequent, so neither costs an entry.
pub(crate) fn change_turn_beside(
    cx: &mut Context<'_>,
    step: &mut Step,
    id: &str,
    event: Event,
    state: State,
    stored: Stored,
) {
    if let Some(open) = cx.memory.turns.get_mut(id) {
        open.turn.state = state;
        put_turn(cx, step, id, event, stored);
    }
}

/// The rows of a change of a turn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// The turn, and an entry.
    Entry,
    /// The turn.
    Row,
    /// Nothing: other rows tell it to a waking session.
    Nothing,
}

/// Stores a turn as changed by the latest entry, and sends its frame.
fn put_turn(
    cx: &mut Context<'_>,
    step: &mut Step,
    id: &str,
    event: Event,
    stored: Stored,
) -> Option<Shown> {
    let version = cx.engine.end;
    let open = cx.memory.turns.get_mut(id)?;
    open.turn.version = version;
    open.turn.event = event;
    if stored != Stored::Nothing {
        open.kept_at = open.heard_at;
    }
    let is_open = open.turn.is_open();
    let kept = Kept {
        turn: open.turn.clone(),
        heard_at: open.heard_at,
    };
    let shown = cx.memory.turns.get(id).map(|open| shown(cx, open))?;
    match stored {
        Stored::Entry => step.write(TurnWrite::Put {
            kept,
            client: step.by().map(str::to_owned),
            at: cx.engine.now,
        }),
        Stored::Row => step.write(TurnWrite::Row(kept)),
        Stored::Nothing => {}
    }
    step.tell(turn_frame(cx, event, version, shown.clone()));
    turn_changed(cx, step, id);
    if !is_open {
        hooks::tell(cx, step, HookEvent::TurnEnd, subject(id));
        cx.memory.turns.remove(id);
        step.settles = true;
    }
    stir(cx);
    Some(shown)
}

/// Ends a turn: its streaming messages are closed, instructions not taken are missed, what it asked
/// for is withdrawn, and only then it is over. Nothing of it may be pending (P6.3).
pub(crate) fn finish_turn(
    cx: &mut Context<'_>,
    step: &mut Step,
    id: &str,
    end: End<'_>,
) -> Result<Option<Shown>, StoreError> {
    let Some(open) = cx.memory.turns.get(id) else {
        return Ok(None);
    };
    let is_cancelled = open.turn.cancel.is_some();
    let missed: Vec<Place> = waiting(&open.turn);
    let ending = if is_cancelled {
        Ending::Cancelled
    } else {
        end.ending
    };
    let status = match ending {
        Ending::Complete => MessageStatus::Complete,
        Ending::Cancelled => MessageStatus::Cancelled,
        Ending::Failed => MessageStatus::Failed,
    };
    close_messages(cx, step, id, status);
    let left = requeued(cx, id)?;
    for place in missed {
        let word = if left.contains(&place) {
            REQUEUED
        } else {
            "missed"
        };
        mark_steer(cx, step, place, word, 0)?;
    }
    end_children(cx, step, id)?;
    (cx.others.turn_ends)(cx, step, id)?;
    let (reason, error) = (end.reason.map(str::to_owned), end.error);
    let at = cx.engine.now;
    let shown = change_turn(cx, step, id, Event::End, |turn| {
        turn.state = State::Ended {
            ending,
            reason: reason.filter(|_| !is_cancelled),
            error,
            at,
        };
    });
    if cx.memory.handover.is_some() {
        keep_inputs(cx, step, left);
    } else {
        for place in left {
            let traceparent = cx.engine.store.traceparent_of(place)?;
            queue_input(cx, step, place, traceparent);
        }
    }
    Ok(shown)
}

/// The inputs that a turn leaves behind when it ends: inputs like any other from then on (P10.3).
fn requeued(cx: &Context<'_>, id: &str) -> Result<Vec<Place>, StoreError> {
    let open = cx.memory.turns.get(id);
    let waiting = open.into_iter().flat_map(|open| waiting_inputs(&open.turn));
    let mut left = Vec::new();
    for place in waiting {
        let head = cx.engine.store.head(place)?;
        if head.is_some_and(|head| !head.is_deleted) {
            left.push(place);
        }
    }
    Ok(left)
}

/// A turn, as hooks hear of it (P10.4).
pub(crate) fn subject(id: &str) -> hooks::Subject<'_> {
    hooks::Subject {
        turn: Some(id),
        ..hooks::Subject::default()
    }
}

/// Cancels one turn, if it is open and not cancelled yet, with those within it (P6.11). Nothing of
/// them may be pending.
pub(crate) fn cancel_turn(
    cx: &mut Context<'_>,
    step: &mut Step,
    id: &str,
    cancel: &Cancel,
) -> Result<Option<Shown>, StoreError> {
    let Some(open) = cx.memory.turns.get(id) else {
        return Ok(None);
    };
    if open.turn.cancel.is_some() {
        return Ok(None);
    }
    let is_active = matches!(open.turn.state, State::Active(_));
    if let (State::Queued, Some(place)) = (&open.turn.state, open.turn.input)
        && cx.engine.store.cancel_of_input(place)?.is_none()
    {
        // An agent about to take the input would otherwise begin another turn.
        let cancel = cancel.clone();
        step.write(MessageWrite::CancelInput { place, cancel });
    }
    let shown = change_turn(cx, step, id, Event::Cancel, |turn| {
        turn.cancel = Some(cancel.clone());
    });
    for child in children(cx, id, |_| true) {
        cancel_turn(cx, step, &child, cancel)?;
    }
    if is_active {
        return Ok(shown);
    }
    // No process works on it, so none needs time to stop.
    let end = End::of(Ending::Cancelled);
    finish_turn(cx, step, id, end)
}

/// A turn ends, and those within it are cancelled, but for the detached ones (P6.11).
fn end_children(cx: &mut Context<'_>, step: &mut Step, id: &str) -> Result<(), StoreError> {
    let is_bound = |within: &Within| !within.detached;
    let bound = children(cx, id, is_bound);
    if bound.is_empty() {
        return Ok(());
    }
    let agent = cx.memory.turns.get(id).and_then(|it| it.turn.agent.clone());
    for child in bound {
        let own = cx.memory.turns.get(&child);
        let own = || own.and_then(|open| open.turn.agent.clone());
        let by = step.by().map(str::to_owned);
        let cancel = Cancel {
            by: by
                .or_else(|| agent.clone())
                .or_else(own)
                .unwrap_or_default(),
            at: cx.engine.now,
            reason: Some(PARENT_ENDED.to_owned()),
        };
        cancel_turn(cx, step, &child, &cancel)?;
    }
    Ok(())
}

/// The turns directly within another that are open and not cancelled, in the order in which they
/// began.
fn children(cx: &Context<'_>, id: &str, is_meant: impl Fn(&Within) -> bool) -> Vec<String> {
    open_ids(cx, |turn| {
        let is_within = turn.is_within(id) && turn.cancel.is_none();
        is_within && turn.within.as_ref().is_some_and(&is_meant)
    })
}

/// Closes the streaming messages of a turn.
pub(crate) fn close_messages(
    cx: &mut Context<'_>,
    step: &mut Step,
    id: &str,
    status: MessageStatus,
) {
    let streams = cx.engine.rollup.streams.iter();
    let of_turn = streams.filter(|(_, stream)| stream.turn.as_deref() == Some(id));
    let places: Vec<Place> = of_turn.map(|(place, _)| *place).collect();
    let closing = Closing {
        status,
        headers: None,
        client: step.by().map(str::to_owned),
    };
    for place in places {
        cx.engine.close_stream(step, place, &closing);
    }
}

impl<'a> End<'a> {
    /// An end without a reason.
    pub(crate) fn of(ending: Ending) -> Self {
        Self {
            ending,
            reason: None,
            error: None,
        }
    }
}

/// The request for the end of a turn.
pub(crate) fn asked(sender: &Sender, now: Timestamp, reason: Option<String>) -> Cancel {
    Cancel {
        by: sender.client.clone(),
        at: now,
        reason,
    }
}
