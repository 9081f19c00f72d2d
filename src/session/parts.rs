//! The parts of the session: the only list of them, and the calls to all of them.

use super::approvals::grants::Granted;
use super::approvals::part::Pending;
use super::calls::part::{CallPings, Called, LateCalls};
use super::context::{Asked, Context, Memory, Others};
use super::deliveries::part::Deliveries;
use super::engine::{Live, News, Step, Wait};
use super::files::part::Kept;
use super::handover::part::{HandedOver, HandoverPings};
use super::inboxes::part::Inboxes;
use super::life::Rest;
use super::marks::part::Marked;
use super::messages::retention::Trimming;
use super::messages::silence::Streams;
use super::notices::part::Notices;
use super::part::Part;
use super::presence::silence::Silence;
use super::presence::tell::Announcing;
use super::readers::renew::Tokens;
use super::revocation::contact::Contacts;
use super::state::part::Shared;
use super::turns::lease::Leases;
use super::turns::lost::Open;
use super::usage::part::Used;
use super::waking::part::Waking;
use crate::ordered::Set;
use crate::protocol::frame::{Lists, ServerFrame};
use crate::protocol::ids::Timestamp;
use crate::protocol::news::Telling;
use crate::protocol::serial::Place;
use crate::protocol::snapshot::Snapshot;
use crate::store::StoreError;

/// Runs a block for every part, in ringing order.
macro_rules! each {
    ($part:ident => $do:block) => {
        each! {
            @ $part $do
            Tokens
            Silence
            Pending
            Granted
            Called
            Open
            LateCalls
            CallPings
            Leases
            HandedOver
            HandoverPings
            Shared
            Marked
            Used
            Streams
            Trimming
            Kept
            Rest
            Announcing
            Notices
            Waking
            Deliveries
            Inboxes
            Contacts
        }
    };
    (@ $part:ident $do:block $($name:ident)*) => {
        $({ type $part = $name; $do })*
    };
}

/// The questions of one feature to all others, none of which it knows.
pub(super) const OTHERS: Others = Others {
    asked,
    turn_ends,
    recipients,
    named,
    tell,
};

fn asked(memory: &Memory, turn: &str) -> Option<Asked> {
    let mut asked: Option<Asked> = None;
    each!(P => {
        let more = P::asked(memory, turn);
        asked = asked.into_iter().chain(more).min_by_key(|asked| asked.place);
    });
    asked
}

fn turn_ends(cx: &mut Context<'_>, step: &mut Step, turn: &str) -> Result<(), StoreError> {
    each!(P => { P::turn_ends(cx, step, turn)? });
    Ok(())
}

fn recipients(cx: &Context<'_>, inboxes: &mut Set<String>) {
    each!(P => { P::recipients(cx, inboxes) });
}

fn named<'a>(cx: &'a Context<'_>, names: &mut Vec<&'a str>) {
    each!(P => { P::named(cx, names) });
}

fn tell(cx: &Context<'_>, telling: &mut Telling<'_>) -> Result<(), StoreError> {
    each!(P => { P::tell(cx, telling)? });
    Ok(())
}

/// Rebuilds memory from rows, and the clock with it.
pub(super) fn load(cx: &mut Context<'_>) -> Result<(), StoreError> {
    each!(P => { P::load(cx)? });
    set_clock(cx, |_| true);
    Ok(())
}

/// Handles everything that is due before an input: an input after a deadline finds the deadline
/// passed, however late the alarm.
pub(super) fn ring(cx: &mut Context<'_>) -> Result<(), StoreError> {
    hear(cx)?;
    if !cx.engine.clock.is_due(cx.engine.now) {
        return Ok(());
    }
    let mut is_alarm = false;
    each!(P => {
        if let Some(owner) = P::OWNER && cx.engine.clock.is_due_for(owner, cx.engine.now) {
            P::ring(cx)?;
            hear(cx)?;
            is_alarm |= owner.wait == Wait::Alarm;
            let at = P::due_at(cx);
            cx.engine.state.clock.set(owner, at);
        }
    });
    if is_alarm {
        set_clock(cx, |wait| wait == Wait::Alarm);
    }
    Ok(())
}

/// The settings have changed, and the parts' times depend on them.
pub(super) fn settings_changed(cx: &mut Context<'_>) -> Result<(), StoreError> {
    cx.engine.state.news.is_settled = true;
    hear(cx)?;
    set_clock(cx, |wait| wait != Wait::Input);
    Ok(())
}

/// The times of the connections' latest pings are known again.
pub(super) fn hear_pings(cx: &mut Context<'_>) {
    set_clock(cx, |wait| wait == Wait::Pings);
}

/// Passes the engine's events to the parts, and recomputes when they are due.
#[inline(always)]
pub(super) fn hear(cx: &mut Context<'_>) -> Result<(), StoreError> {
    // Most inputs are appends, which cause no event.
    if cx.engine.news.is_empty() && !cx.engine.clock.is_stirred() {
        return Ok(());
    }
    hear_news(cx)
}

#[inline(never)]
fn hear_news(cx: &mut Context<'_>) -> Result<(), StoreError> {
    if cx.engine.news.is_anew {
        cx.engine.state.news = News::default();
        *cx.memory = Memory::default();
        return load(cx);
    }
    if !cx.engine.news.is_empty() {
        let news = std::mem::take(&mut cx.engine.state.news);
        each!(P => { P::hear(cx, &news)? });
    }
    if !cx.engine.clock.is_stirred() {
        return Ok(());
    }
    note_busy(cx);
    for stirred in cx.engine.state.clock.take_stirred() {
        each!(P => {
            if P::OWNER == Some(stirred) {
                let at = P::due_at(cx);
                cx.engine.state.clock.expect(stirred, at);
            }
        });
    }
    Ok(())
}

/// Recomputes the times of all parts that wait like this.
fn set_clock(cx: &mut Context<'_>, is_meant: impl Fn(Wait) -> bool) {
    note_busy(cx);
    each!(P => {
        if let Some(owner) = P::OWNER.filter(|owner| is_meant(owner.wait)) {
            let at = P::due_at(cx);
            cx.engine.state.clock.set(owner, at);
        }
    });
}

fn note_busy(cx: &mut Context<'_>) {
    let mut is_busy = false;
    each!(P => { is_busy |= P::is_busy(cx.memory) });
    cx.engine.state.is_busy = is_busy;
}

/// An input was handled, and its frames are about to go out.
pub(super) fn finish(cx: &mut Context<'_>) -> Result<(), StoreError> {
    each!(P => { P::finish(cx)? });
    Ok(())
}

/// When the next part will send something.
pub(super) fn window(memory: &Memory) -> Option<Timestamp> {
    let mut window = None;
    each!(P => { window = window.into_iter().chain(P::window(memory)).min() });
    window
}

/// Adds the parts' lists to `attached` (P3.4).
pub(super) fn attached(cx: &Context<'_>, live: &mut Live, lists: &mut Lists) {
    each!(P => { P::attached(cx, live, lists) });
}

/// Adds the lists to `attached` that are read from rows when they are first needed.
pub(super) fn listed(cx: &Context<'_>, live: &Live, lists: &mut Lists) -> Result<(), StoreError> {
    each!(P => { P::listed(cx, live, lists)? });
    Ok(())
}

/// Everything beside messages for a reader that begins anew: lists of `attached`, and frames.
pub(super) fn anew(cx: &Context<'_>, lists: &mut Lists) -> Result<Vec<ServerFrame>, StoreError> {
    let mut frames = Vec::new();
    each!(P => { frames.extend(P::anew(cx, lists)?) });
    Ok(frames)
}

/// Adds the parts' fields to the snapshot (P11.1).
pub(super) fn snapshot(cx: &Context<'_>, snapshot: &mut Snapshot<'_>) {
    each!(P => { P::snapshot(cx, snapshot) });
}

/// The frames, beside those of messages, that bring a reader up to date from a place (P3.5).
pub(super) fn changed_since(
    cx: &Context<'_>,
    since: Place,
    limit: usize,
) -> Result<Vec<ServerFrame>, StoreError> {
    let mut frames = Vec::new();
    each!(P => { frames.extend(P::changed_since(cx, since, limit)?) });
    Ok(frames)
}
