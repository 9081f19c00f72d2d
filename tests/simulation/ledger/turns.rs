//! The course of turns (P6.1, P6.5, P6.8): checked in the rows after every input.

use std::collections::BTreeMap;

use sessile::protocol::ids::Timestamp;
use sessile::protocol::serial::{Epoch, Place};
use sessile::protocol::turn::{Ending, Lead, State, Turn};
use sessile::store::{Kept, Store};

use super::{Asked, Heard, Leads, Ledger};
use crate::host::Host;
use crate::sim::{Rules, Sim};

/// How long after it came an append is stored at the latest: a window, and a late timer.
pub const PENDING_MS: Timestamp = 600;

/// How much later than its leader was heard a turn may end: a third of the lease, and the
/// window after which the last thing that it said was stored.
fn lease_end(heard: &Heard, lead: &Lead) -> Timestamp {
    let lease = Timestamp::try_from(lead.lease_ms).unwrap();
    let heard = heard.high.saturating_add(lease + lease / 3 + 1);
    heard.max(lead.prolonged_at.map_or(heard, |at| at + lease))
}

/// How much later than the end of a lease a session that looks was not there to hear.
const LATE_MS: Timestamp = 1_000;

impl Ledger {
    /// Looks at everything that has changed.
    pub(super) fn look(&mut self, host: &Host, log: &Store, now: Timestamp, is_dead: bool) {
        let rows = host.disk.0.rows_written();
        if rows != self.rows {
            self.rows = rows;
            let Some(beginning) = log.beginning().unwrap() else {
                return;
            };
            self.epoch = Some(beginning.epoch);
            let before = std::mem::take(&mut self.open);
            let open = log.open_turns().unwrap();
            self.open = open
                .into_iter()
                .map(|Kept { turn, .. }| (turn.id.clone(), turn))
                .collect();
            for turn in log.changed_turns(self.end, 1_000).unwrap() {
                self.end = self.end.max(turn.version);
                self.changed(log, beginning.epoch, now, before.get(&turn.id), &turn);
            }
            for (id, turn) in &self.open {
                self.check_prolonged(now, before.get(id), turn);
                self.check_within(turn);
            }
        }
        self.hear_pending(now);
        for (id, turn) in &self.open {
            let heard = self.heard.get_mut(id).unwrap();
            if let State::Active(lead) = &turn.state {
                let pinged = lead.connection.as_ref().and_then(|id| self.pinged.get(id));
                heard.high = heard.high.max(pinged.copied().unwrap_or(heard.high));
            }
            let queued_at = self.queued.get(id).copied();
            let (what, due) = deadline(&self.rules, turn, heard, queued_at);
            assert!(
                is_dead || now <= due,
                "{what} at {due}, now is {now}: {turn:?} {heard:?}"
            );
            let is_awaited = host.alarm.is_some_and(|alarm| alarm <= due);
            let is_idle = due == Timestamp::MAX;
            assert!(
                is_awaited || is_idle || is_dead,
                "{what} at {due}, the alarm is at {:?}: {turn:?} {heard:?}",
                host.alarm
            );
        }
    }

    /// An unacknowledged append may have been stored just now; a waking session then knows nothing
    /// else.
    fn hear_pending(&mut self, now: Timestamp) {
        for question in &self.waiting {
            let is_recent = (0..=PENDING_MS).contains(&(now - question.at));
            let is_pending = question.frame["type"] == "append"
                && question.leads != Leads::No
                && (is_recent || now <= self.jumped_until);
            if is_pending
                && let Some(heard) = question.turn.as_ref().and_then(|id| self.heard.get_mut(id))
            {
                heard.high = heard.high.max(now);
            }
        }
    }

    fn changed(
        &mut self,
        log: &Store,
        epoch: Epoch,
        now: Timestamp,
        before: Option<&Turn>,
        turn: &Turn,
    ) {
        let id = turn.id.clone();
        if let Some(ended) = self.ended.get(&id) {
            assert!(
                self.rules.is_trimmed,
                "P6.1: {ended:?} was final, now {turn:?}"
            );
        }
        self.check_attempts(now, before, turn);
        let attempt_place = turn.attempt_place;
        let heard = self
            .heard
            .get(&id)
            .filter(|heard| heard.attempt_place == attempt_place);
        if heard.is_none() {
            // A clock that jumped back makes what was said before later than this.
            let high = self.heard.get(&id).map_or(now, |heard| heard.high.max(now));
            let (low, said) = (now, now);
            self.heard.insert(
                id.clone(),
                Heard {
                    attempt_place,
                    low,
                    said,
                    high,
                },
            );
        }
        self.check_cancel(epoch, turn);
        if turn.is_open() {
            if turn.state == State::Queued {
                if before.is_none_or(|before| before.state != State::Queued) {
                    self.queued.insert(id, now);
                }
                self.is_closed(log, turn);
                let wait = turn.steers.iter().all(|(_, is_taken)| !is_taken);
                assert!(wait, "P6.8: instructions wait again: {turn:?}");
            }
            self.check_adoption(log, before, turn);
            return;
        }
        self.is_closed(log, turn);
        self.check_steers(log, epoch, turn);
        self.check_read_once(turn);
        self.check_end(now, before, turn);
        self.ended.insert(id, turn.clone());
    }

    /// P6.8: an attempt follows another when somebody adopts the turn, or its agent was not
    /// heard for as long as its lease.
    fn check_attempts(&self, now: Timestamp, before: Option<&Turn>, turn: &Turn) {
        let Some(before) = before else { return };
        let adopts = self.input.iter().filter(|question| {
            question.frame["type"] == "turn.adopt" && question.frame["turn"] == turn.id.as_str()
        });
        let most = u64::try_from(adopts.count()).unwrap();
        let least = before.attempt;
        assert!(least <= turn.attempt, "{before:?} {turn:?}");
        if least + most < turn.attempt {
            self.is_lost(now, before);
            assert_eq!(turn.attempt, least + 1 + most, "{before:?} {turn:?}");
            assert!(turn.attempt <= self.rules.attempts, "{turn:?}");
        }
    }

    /// P6.8: a lease ends no sooner than so long after its leader was last heard.
    fn is_lost(&self, now: Timestamp, before: &Turn) {
        let State::Active(lead) = &before.state else {
            panic!("nobody leads it: {before:?}");
        };
        let heard = self.heard[&before.id];
        let lease = Timestamp::try_from(lead.lease_ms).unwrap();
        let begun = heard.low.max(lead.prolonged_at.unwrap_or(heard.low));
        assert!(begun + lease <= now, "lost at {now}: {heard:?} {before:?}");
        let is_late = heard.high + lease + lease / 3 + 1 + LATE_MS < now;
        let was_prolonged = lead.prolonged_at.is_some_and(|at| heard.low <= at);
        assert!(
            !is_late || was_prolonged,
            "not prolonged at {now}: {heard:?} {before:?}"
        );
    }

    /// P6.8: a lease is prolonged where the session came more than a second too late to hear, and
    /// once until its leader is heard.
    fn check_prolonged(&self, now: Timestamp, before: Option<&Turn>, turn: &Turn) {
        let State::Active(lead) = &turn.state else {
            return;
        };
        let known = before.filter(|before| before.attempt_place == turn.attempt_place);
        let known = known.and_then(|before| before.lead()?.prolonged_at);
        if lead.prolonged_at == known {
            return;
        }
        let heard = self.heard[&turn.id];
        let lease = Timestamp::try_from(lead.lease_ms).unwrap();
        assert_eq!(lead.prolonged_at, Some(now), "{before:?} {turn:?}");
        let heard_before = self.heard_before.get(&turn.id).copied();
        assert!(
            heard_before.is_some_and(|low| low + lease + LATE_MS < now),
            "prolonged at {now}: {heard:?} {turn:?}"
        );
        assert!(
            known.is_none_or(|at| at <= heard.high),
            "prolonged twice: {heard:?} {before:?} {turn:?}"
        );
    }

    /// P6.5: a turn is cancelled only if somebody asked for it.
    fn check_cancel(&self, epoch: Epoch, turn: &Turn) {
        let Some(cancel) = &turn.cancel else { return };
        let by = |asked: Asked| self.cancels.contains(&(cancel.by.clone(), asked));
        let input = turn.input.map(|input| epoch.at(input).to_string());
        // A cancel of a turn that waits for an agent cancels the answer to its input, too.
        let is_known = |known: &Turn| known.input == turn.input && known.cancel == turn.cancel;
        let is_around = turn.within.as_ref().is_some_and(|within| {
            let around = self.open.get(&within.turn);
            let around = around.or_else(|| self.ended.get(&within.turn));
            let is_ended = cancel.reason.as_deref() == Some("parent-ended") && !within.detached;
            // A turn of the same step may not be known yet.
            is_ended || around.is_none_or(|around| around.cancel.as_ref() == Some(cancel))
        });
        let is_asked = is_around
            || self.ended.values().any(is_known)
            || by(Asked::All)
            || by(Asked::Turn(turn.id.clone()))
            || input.is_some_and(|input| by(Asked::Input(input)));
        assert!(is_asked, "nobody cancelled {turn:?}");
    }

    /// P6.11: a turn within one that is cancelled is cancelled, and so is one within a turn that
    /// has ended, unless it is detached.
    fn check_within(&self, turn: &Turn) {
        let Some(within) = &turn.within else { return };
        let is_free = match self.open.get(&within.turn) {
            Some(around) => around.cancel.is_none(),
            None => within.detached,
        };
        assert!(is_free || turn.cancel.is_some(), "P6.11: {turn:?}");
    }

    /// P6.3: what streamed in it is closed in the same step.
    fn is_closed(&self, log: &Store, turn: &Turn) {
        let streaming = log.streaming().unwrap();
        let left = streaming
            .iter()
            .find(|open| open.head.turn.as_ref() == Some(&turn.id));
        assert!(left.is_none(), "{left:?} streams in {turn:?}");
    }

    /// P6.8: what the attempts before said is superseded, unless it is to be kept.
    fn check_adoption(&self, log: &Store, before: Option<&Turn>, turn: &Turn) {
        let Some(State::Active(_)) = before.map(|before| &before.state) else {
            return;
        };
        let [question] = self.input.as_slice() else {
            return;
        };
        let is_it = question.frame["type"] == "turn.adopt"
            && question.frame["turn"] == turn.id.as_str()
            && question.frame["keep"] != true;
        let is_next = before.is_some_and(|before| before.attempt + 1 == turn.attempt);
        let is_adopted = is_next && turn.attempt_place != before.unwrap().attempt_place;
        if !is_it || !is_adopted || self.is_requeued(before.unwrap(), turn) {
            return;
        }
        let is_steer = |place: Place| turn.steers.iter().any(|(steer, _)| *steer == place);
        for head in log.turn_messages(turn, usize::MAX >> 1).unwrap() {
            assert!(
                is_steer(head.place),
                "P6.8: not superseded: {head:?} {turn:?}"
            );
        }
        assert!(
            turn.steers.iter().all(|(_, is_taken)| !is_taken),
            "they wait again: {turn:?}"
        );
    }

    /// Whether it may have been lost and taken from the queue in one input: what was said
    /// then stays.
    fn is_requeued(&self, before: &Turn, turn: &Turn) -> bool {
        turn.agent != before.agent || 1 < self.rules.attempts
    }

    /// P6.7: every instruction was taken or is missed.
    fn check_steers(&self, log: &Store, epoch: Epoch, turn: &Turn) {
        for (place, is_taken) in &turn.steers {
            let Some(message) = log.message(epoch, *place).unwrap() else {
                continue;
            };
            let headers = message.headers.unwrap_or_default();
            let word = headers.get("steer").map(String::as_str);
            let is_said = match word {
                Some("taken") => *is_taken && self.steered.contains(place),
                // P10.3: an input is missed only where nobody wants an answer any more.
                Some("missed") => !is_taken && !turn.inputs.contains(place),
                Some("requeued" | "waiting") if turn.inputs.contains(place) => {
                    !is_taken && self.is_left_behind(*place)
                }
                _ => message.deleted_at.is_some(),
            };
            let is_known = self.ask_pending(*place);
            assert!(
                is_said || is_known,
                "{word:?}, taken: {is_taken}: {place} {turn:?}"
            );
        }
    }

    /// P10.3: an input that its turn did not read is one that waits like any other.
    fn is_left_behind(&self, input: Place) -> bool {
        let mut known = self.open.values().chain(self.ended.values());
        known.any(|turn| turn.input == Some(input))
    }

    /// P10.3: a message that a turn has read is read by no other, unless somebody asks for that.
    fn check_read_once(&self, turn: &Turn) {
        let taken = turn.steers.iter().filter(|(_, is_taken)| *is_taken);
        let taken = taken.filter(|(place, _)| turn.inputs.contains(place));
        for (place, _) in taken {
            let known = self.open.values().chain(self.ended.values());
            let mut others = known.filter(|other| other.place != turn.place);
            let other = others.find(|other| {
                let reads = other.steers.contains(&(*place, true)) && other.inputs.contains(place);
                let answers = other.input == Some(*place) && !self.again.contains(&other.id);
                reads || answers
            });
            assert!(other.is_none(), "P10.3: read twice: {turn:?} {other:?}");
        }
    }

    /// Whether a `turn.steered` for it was stored and not answered, or an editor meddled.
    fn ask_pending(&self, place: Place) -> bool {
        self.rules.is_meddled || self.unanswered.contains(&place)
    }

    fn check_end(&self, now: Timestamp, before: Option<&Turn>, turn: &Turn) {
        let State::Ended {
            ending, reason, at, ..
        } = &turn.state
        else {
            return;
        };
        let is_cancelled = *ending == Ending::Cancelled;
        if turn.cancel.is_some() {
            assert!(is_cancelled, "P6.5: it was cancelled: {turn:?}");
        }
        let by_leader = self.input.iter().any(|question| {
            question.frame["type"] == "turn.end"
                && question.turn.as_ref() == Some(&turn.id)
                && question.leads != Leads::No
        });
        if turn.cancel.is_none() && is_cancelled {
            assert!(by_leader, "nobody cancelled {turn:?}");
        }
        let Some(before) = before else {
            assert!(turn.cancel.is_some(), "it ended before it began: {turn:?}");
            return;
        };
        match reason.as_deref() {
            Some("agent-lost") => {
                self.is_lost(now, before);
                assert!(self.rules.attempts <= before.attempt, "{turn:?}");
            }
            Some("abandoned") => {
                let since = match &before.state {
                    State::Suspended { at, .. } => *at,
                    State::Queued => self.queued[&before.id],
                    _ => panic!("it did not wait: {before:?}"),
                };
                assert!(since + self.rules.suspend_ms <= *at, "{before:?} {turn:?}");
            }
            Some(reason) => panic!("{reason}: {turn:?}"),
            None if by_leader => {}
            None => self.check_grace(now, before, turn),
        }
    }

    /// P6.5: a leader has some time to end a turn that is cancelled.
    fn check_grace(&self, now: Timestamp, before: &Turn, turn: &Turn) {
        let cancel = turn.cancel.as_ref();
        let cancel = cancel.unwrap_or_else(|| panic!("nobody ended {turn:?}"));
        let lease = before.lead().map_or(0, |lead| lead.lease_ms);
        let lease = Timestamp::try_from(lease).unwrap();
        // A lost leader needs no more time to stop.
        let is_lost = self
            .heard
            .get(&before.id)
            .is_none_or(|heard| heard.low + lease <= now);
        let is_patient = matches!(before.state, State::Active(_)) && !is_lost;
        assert!(
            !is_patient || cancel.at + self.rules.grace_ms <= now,
            "cancelled too soon: {before:?} {turn:?}"
        );
    }
}

/// When something must have become of an open turn.
fn deadline(
    rules: &Rules,
    turn: &Turn,
    heard: &Heard,
    queued_at: Option<Timestamp>,
) -> (&'static str, Timestamp) {
    let own = match &turn.state {
        State::Active(lead) => ("P6.8: its lease is over", lease_end(heard, lead)),
        State::Suspended { at, .. } => ("P6.1: it is abandoned", at + rules.suspend_ms),
        State::Queued => (
            "P6.1: nobody takes it",
            queued_at.unwrap_or(Timestamp::MIN) + rules.suspend_ms,
        ),
        State::Ended { .. } => ("it is over", Timestamp::MAX),
    };
    match &turn.cancel {
        Some(cancel) if cancel.at + rules.grace_ms < own.1 => {
            ("P6.5: it is cancelled", cancel.at + rules.grace_ms)
        }
        _ => own,
    }
}

/// At the end of a round, when everything has come to rest.
pub fn check(sim: &Sim, log: &BTreeMap<String, serde_json::Value>) {
    let ledger = &sim.ledger;
    assert!(ledger.open.is_empty(), "still open: {:#?}", ledger.open);
    if sim.plan.retention_ms.is_some() {
        return;
    }
    let of = |id: &String| {
        ledger
            .ended
            .get(id)
            .unwrap_or_else(|| panic!("there is no {id}"))
    };
    for id in &ledger.must_cancel {
        let State::Ended { ending, .. } = of(id).state else {
            unreachable!()
        };
        assert_eq!(ending, Ending::Cancelled, "P6.5: {id}");
    }
    for (id, status) in &ledger.ends {
        let turn = of(id);
        let found = serde_json::to_value(turn.status()).unwrap();
        assert!(
            found == *status || turn.cancel.is_some(),
            "{status}: {turn:?}"
        );
    }
    for (data, place) in &ledger.steers {
        let with = log
            .iter()
            .filter(|(_, message)| message["data"] == data.as_str());
        let is_deleted = log.iter().any(|(serial, message)| {
            super::serial(&serial.as_str().into()).is_some_and(|at| at.place == *place)
                && (message["deletedAt"].is_i64() || sim.touched.contains(serial))
        });
        assert!(is_deleted || with.count() == 1, "{data:?} is there once");
    }
    let attempts = ledger
        .ended
        .iter()
        .map(|(id, turn)| (id.clone(), turn.attempt_place));
    ledger.output.check(log, &sim.touched, &attempts.collect());
}
