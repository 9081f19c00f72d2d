//! `lead.take` and `lead.return` (P8.8).

use crate::protocol::capability::Operation;
use crate::protocol::error::{ErrorCode, ErrorInfo};
use crate::protocol::frame::{Outcome, ServerFrame};
use crate::protocol::handover::{Handover, Leading, ReturnLead, Returned, TakeLead, Turns, Wake};
use crate::protocol::hooks::HookEvent;
use crate::protocol::serial::Place;
use crate::protocol::turn::{Event, State};
use crate::session::context::Context;
use crate::session::deliveries::hooks::{self, Subject};
use crate::session::engine::{Answer, Error, Known, Sender, Step};
use crate::session::handover::check::{keep_inputs, led};
use crate::session::handover::heard::stir;
use crate::session::handover::state::Held;
use crate::session::turns::change::{asked, cancel_turn, change_turn, queue_input, turns_to_be};
use crate::session::turns::shown::open_ids;
use crate::session::waking::owe;
use crate::store::{HandoverWrite, StoreError};

/// Answers a frame whose id was taken before: by how things stand.
pub(crate) fn repeat<F>(cx: &mut Context<'_>, _: &F, _: &Known) -> Result<Answer, Error> {
    Ok(answer(cx, true))
}

fn answer(cx: &Context<'_>, duplicate: bool) -> Answer {
    let held = cx.memory.handover.as_ref();
    let lead = held.map(|held| held.handover.lead.clone());
    Answer::Now(Outcome::Lead { lead, duplicate })
}

/// A person leads from now on, in the place of whoever did.
pub(crate) fn take(cx: &mut Context<'_>, sender: &Sender, take: TakeLead) -> Result<Answer, Error> {
    const VERB: &str = "take the lead";
    if take.turns == Turns::Cancel {
        sender.must(Operation::Cancel, "cancel the turns", &cx.engine.id)?;
    }
    cx.engine.check_room(VERB)?;
    cx.engine.settle()?;
    let mut step = cx.engine.step_by(sender);
    let place = cx.engine.next_place();
    let handover = taken(cx, sender, &take, place);
    step.stands_for(place);
    step.tell(ServerFrame::Handover(handover.frame(cx.engine.epoch)));
    step.write(HandoverWrite::Put {
        handover: handover.clone(),
        heard_at: cx.engine.now,
        client: Some(sender.client.clone()),
        at: cx.engine.now,
    });
    tell_hooks(cx, &mut step, Some(&sender.client));
    cx.memory.handover = Some(Held {
        handover,
        heard_at: cx.engine.now,
        perhaps_at: cx.engine.now,
        kept_at: cx.engine.now,
    });
    let waiting = owe::take_back(cx, &mut step);
    keep_inputs(cx, &mut step, waiting);
    if take.turns == Turns::Cancel {
        let cancel = asked(sender, cx.engine.now, take.note);
        // One that is queued waits for the return.
        for id in open_ids(cx, |turn| turn.state != State::Queued) {
            cancel_turn(cx, &mut step, &id, &cancel)?;
        }
    }
    cx.engine.commit(step)?;
    stir(cx);
    Ok(answer(cx, false))
}

fn tell_hooks(cx: &mut Context<'_>, step: &mut Step, lead: Option<&str>) {
    let subject = Subject {
        lead,
        ..Subject::default()
    };
    hooks::tell(cx, step, HookEvent::LeadChange, subject);
}

/// The hand-over that begins; what waits already goes on to wait.
fn taken(cx: &Context<'_>, sender: &Sender, take: &TakeLead, place: Place) -> Handover {
    let before = cx.memory.handover.as_ref().map(|held| &held.handover);
    let own = before.filter(|before| before.lead.client == sender.client);
    let other = before.filter(|before| before.lead.client != sender.client);
    let live = sender.connection.as_ref();
    let live = live.and_then(|id| cx.engine.connections.get(id));
    Handover {
        version: place,
        lead: Leading {
            client: sender.client.clone(),
            name: live.and_then(|live| live.connection.name.clone()),
            since: own.map_or(cx.engine.now, |own| own.lead.since),
            note: take.note.clone(),
        },
        replaced: other.map(|other| other.lead.client.clone()),
        waiting: before.map_or_else(Vec::new, |before| before.waiting.clone()),
        returned: None,
    }
}

/// Agents answer again: by the person who leads, or an administrator.
pub(crate) fn give(
    cx: &mut Context<'_>,
    sender: &Sender,
    give: ReturnLead,
) -> Result<Answer, Error> {
    const VERB: &str = "return the lead";
    let Some(held) = &cx.memory.handover else {
        let message = format!("unable to {VERB}; nobody leads session {}", cx.engine.id);
        return Err(ErrorInfo::new(ErrorCode::NotFound, message).into());
    };
    if !held.is_by(&sender.client) && !sender.operations.contains(Operation::Admin) {
        return Err(led(VERB, &held.handover.lead.client).into());
    }
    cx.engine.settle()?;
    let step = cx.engine.step_by(sender);
    let returned = Returned {
        by: Some(sender.client.clone()),
        reason: None,
        wake: give.wake,
        note: give.note,
    };
    give_back(cx, step, returned)?;
    Ok(answer(cx, false))
}

/// Ends the hand-over, and queues the inputs that waited. Nothing may be pending.
pub(super) fn give_back(
    cx: &mut Context<'_>,
    mut step: Step,
    returned: Returned,
) -> Result<(), StoreError> {
    let Some(mut held) = cx.memory.handover.take() else {
        return Ok(());
    };
    let waiting = std::mem::take(&mut held.handover.waiting);
    let is_waking = returned.wake != Wake::None;
    let inputs = wanted(cx, waiting, returned.wake)?;
    let place = cx.engine.next_place();
    let client = returned.by.clone();
    let handover = Handover {
        version: place,
        returned: Some(returned),
        ..held.handover
    };
    step.stands_for(place);
    step.tell(ServerFrame::Handover(handover.frame(cx.engine.epoch)));
    step.write(HandoverWrite::Put {
        handover,
        heard_at: held.heard_at,
        client,
        at: cx.engine.now,
    });
    tell_hooks(cx, &mut step, None);
    if is_waking {
        // Agents that were refused a queued turn have no other sign that it may be taken.
        for id in open_ids(cx, |turn| turn.state == State::Queued) {
            change_turn(cx, &mut step, &id, Event::Queue, |_| {});
        }
    } else {
        // Nobody is woken for what waited.
        let queued = cx.memory.turns.values().map(|open| open.turn.place);
        for place in queued.collect::<Vec<_>>() {
            owe::taken(cx, &mut step, place);
        }
    }
    cx.memory.wakes.is_stale = true;
    for input in inputs {
        let traceparent = cx.engine.store.traceparent_of(input)?;
        queue_input(cx, &mut step, input, traceparent);
    }
    cx.engine.commit(step)?;
    stir(cx);
    Ok(())
}

/// Those of the inputs that agents are still to answer.
fn wanted(cx: &Context<'_>, inputs: Vec<Place>, wake: Wake) -> Result<Vec<Place>, StoreError> {
    let mut wanted = Vec::new();
    for input in inputs {
        let store = &cx.engine.store;
        let is_there = store.head(input)?.is_some_and(|head| !head.is_deleted);
        if is_there && store.cancel_of_input(input)?.is_none() {
            wanted.push(input);
        }
    }
    // Others may have begun as many turns as there may be.
    let room = cx
        .engine
        .limits
        .open_turns()
        .saturating_sub(turns_to_be(cx));
    wanted.drain(..wanted.len().saturating_sub(room));
    Ok(match wake {
        Wake::All => wanted,
        Wake::Last => wanted.pop().into_iter().collect(),
        Wake::None => Vec::new(),
    })
}
