//! Pending calls as a part of the session: the clock brings deadlines and ends of claims (P8.9).

use crate::ordered::Set;
use crate::protocol::call::{Call, Event, Shown, Status};
use crate::protocol::frame::{Lists, ServerFrame};
use crate::protocol::ids::Timestamp;
use crate::protocol::limits::{LIST_BYTES, PAGE_BYTES};
use crate::protocol::news::Telling;
use crate::protocol::serial::Place;
use crate::protocol::snapshot::Snapshot;
use crate::session::calls::call::REASON;
use crate::session::calls::change::{change_call, frame};
use crate::session::calls::inboxes;
use crate::session::calls::lease::{CALLS, PINGS, held_until, listen, stir};
use crate::session::calls::shown::shown;
use crate::session::calls::state::PendingCall;
use crate::session::context::{Asked, Context, Memory};
use crate::session::engine::{Live, News, Owner, Step, brief, in_order};
use crate::session::part::Part;
use crate::session::turns::waiting::{first_due, go_on};
use crate::store::StoreError;

/// Pending calls, as a part of the session.
pub(crate) struct Called;

impl Part for Called {
    const OWNER: Option<Owner> = Some(CALLS);

    fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
        let pending = cx.engine.store.pending_calls()?.into_iter();
        let pending = pending.map(|call| (call.id.clone(), PendingCall::new(call)));
        cx.memory.calls.pending = pending.collect();
        cx.memory.calls.heard.clear();
        let pending = cx.memory.calls.pending.values();
        let held = pending.filter_map(|pending| pending.call.held().cloned());
        for claim in held.collect::<Vec<_>>() {
            listen(cx, &claim);
        }
        for heard in cx.memory.calls.heard.values_mut() {
            heard.perhaps_at = heard.at.saturating_add(heard.slack);
        }
        Ok(())
    }

    fn due_at(cx: &Context<'_>) -> Timestamp {
        let pending = cx.memory.calls.pending.values();
        let due = pending.map(|pending| due(cx, &pending.call).0);
        due.min().unwrap_or(Timestamp::MAX)
    }

    fn ring(cx: &mut Context<'_>) -> Result<(), StoreError> {
        pass_due(cx)
    }

    fn hear(cx: &mut Context<'_>, news: &News) -> Result<(), StoreError> {
        if !news.gone.is_empty() && !cx.memory.calls.heard.is_empty() {
            stir(cx);
        }
        Ok(())
    }

    fn asked(memory: &Memory, turn: &str) -> Option<Asked> {
        let pending = memory.calls.pending.values().map(|pending| &pending.call);
        let of_turn = pending.filter(|call| call.called.suspend && call.turn == turn);
        let first = of_turn.min_by_key(|call| call.place)?;
        Some(Asked {
            place: first.place,
            at: first.created_at,
            reason: REASON,
        })
    }

    fn turn_ends(cx: &mut Context<'_>, step: &mut Step, turn: &str) -> Result<(), StoreError> {
        let of_turn = pending_in_order(cx, |call| call.turn == turn).into_iter();
        for id in of_turn.map(|call| call.id.clone()).collect::<Vec<_>>() {
            change_call(cx, step, &id, Event::Expire, |call| {
                call.status = Status::Withdrawn;
                call.is_held = false;
            });
        }
        Ok(())
    }

    fn recipients(cx: &Context<'_>, into: &mut Set<String>) {
        inboxes::recipients(cx, into);
    }

    fn named<'a>(cx: &'a Context<'_>, names: &mut Vec<&'a str>) {
        let pending = cx.memory.calls.pending.values();
        let to = pending.flat_map(|pending| pending.call.called.to.iter());
        names.extend(to.map(String::as_str));
    }

    fn tell(cx: &Context<'_>, telling: &mut Telling<'_>) -> Result<(), StoreError> {
        inboxes::tell(cx, telling)
    }

    fn attached(cx: &Context<'_>, _: &mut Live, lists: &mut Lists) {
        lists.calls = list(cx, LIST_BYTES);
    }

    fn snapshot(cx: &Context<'_>, snapshot: &mut Snapshot<'_>) {
        snapshot.calls = list(cx, PAGE_BYTES);
    }

    fn changed_since(
        cx: &Context<'_>,
        since: Place,
        limit: usize,
    ) -> Result<Vec<ServerFrame>, StoreError> {
        let changed = cx.engine.store.changed_calls(since, limit)?;
        let changed = changed.iter().map(|call| frame(cx, call));
        Ok(changed.collect())
    }
}

/// The same once overdue turns have ended or wait for their next process: a call of a turn that
/// goes on may be due as well.
pub(crate) struct LateCalls;

impl Part for LateCalls {
    const OWNER: Option<Owner> = Some(CALLS);

    fn due_at(cx: &Context<'_>) -> Timestamp {
        Called::due_at(cx)
    }

    fn ring(cx: &mut Context<'_>) -> Result<(), StoreError> {
        pass_due(cx)
    }
}

/// The pings of devices, as a part of the session.
pub(crate) struct CallPings;

impl Part for CallPings {
    const OWNER: Option<Owner> = Some(PINGS);

    fn due_at(cx: &Context<'_>) -> Timestamp {
        let pending = cx.memory.calls.pending.values();
        let held = pending.filter_map(|pending| pending.call.held());
        let here = held.filter(|claim| claim.connection.is_some());
        let until = here.map(|claim| held_until(cx, claim));
        until.min().unwrap_or(Timestamp::MAX)
    }
}

/// Pending calls, in the order in which they were made.
fn pending_in_order<'a>(cx: &'a Context<'_>, is_meant: impl Fn(&Call) -> bool) -> Vec<&'a Call> {
    let pending = cx.memory.calls.pending.values();
    let pending = pending.map(|pending| &pending.call);
    in_order(pending.filter(|call| is_meant(call)), |call| call.place)
}

/// The pending calls as everybody sees them, unless they are too long.
fn list(cx: &Context<'_>, most: usize) -> Option<Vec<Shown>> {
    let pending = pending_in_order(cx, |_| true).into_iter();
    brief(pending.map(|call| shown(cx, call)), most)
}

/// A call's next event by the clock, and its time.
fn due(cx: &Context<'_>, call: &Call) -> (Timestamp, Event) {
    let deadline = call.deadline_at.unwrap_or(Timestamp::MAX);
    match call.held().map(|claim| held_until(cx, claim)) {
        Some(at) if at < deadline => (at, Event::Call),
        Some(_) | None => (deadline, Event::Expire),
    }
}

/// Handles everything that is due, in the order of its times.
fn pass_due(cx: &mut Context<'_>) -> Result<(), StoreError> {
    if next_due(cx).is_none() {
        return Ok(());
    }
    cx.engine.settle()?;
    let mut step = cx.engine.step();
    while let Some((event, id)) = next_due(cx) {
        let call = change_call(cx, &mut step, &id, event, |call| {
            call.is_held = false;
            if event == Event::Expire {
                call.status = Status::Expired;
            }
        });
        if let Some(call) = call.filter(|call| call.called.suspend && !call.is_pending()) {
            go_on(cx, &mut step, &call.turn)?;
        }
    }
    cx.engine.commit(step)
}

/// The first event that is due of all pending calls.
fn next_due(cx: &Context<'_>) -> Option<(Event, String)> {
    let pending = cx.memory.calls.pending.values().map(|it| &it.call);
    let first = first_due(cx, pending.map(|call| (due(cx, call), call)));
    first.map(|(_, event, id)| (event, id))
}
