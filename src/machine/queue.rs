//! Deliveries in memory: a queue for each target, and the dead letters. Each change gives the
//! rows to write; nothing here knows whose they are.

mod forget;
mod taking;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use super::backoff::wait_ms;
use super::numbers::{first_number, next_number};
use super::outcome::Outcome;
use crate::ordered::Map;
use crate::protocol::ids::{Timestamp, after};
use crate::protocol::limits::{DEAD_LETTER_MS, DEAD_LETTERS_MAX, DELIVERY_SLACK_MS, Limits};
use crate::protocol::serial::Place;
use crate::store::{DeliveryKind, DeliveryWrite, Owed, Parcel};

/// Characters of a reason that are stored.
const REASON_LENGTH: usize = 200;
/// The status of a target that wants no more deliveries.
const GONE: u16 = 410;

/// A queue: of the deliveries of a kind to one target, or of one that goes by itself, which then
/// has its number (`Needs::order`).
pub(crate) type Lane = (DeliveryKind, String, u64);

/// All deliveries of a session, or of an inbox.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) lanes: Map<Lane, VecDeque<Waiting>>,
    /// Dead letters.
    pub(crate) dead: Vec<Owed>,
    /// The latest number.
    last: u64,
    /// The time before which no attempt begins and none counts as lost. Every input asks.
    next: Timestamp,
    /// Grows with every change.
    pub(crate) changes: u64,
    /// Whether the step that begins the session tells of that.
    pub(crate) is_begun: bool,
    bounds: Bounds,
}

impl Default for Queue {
    fn default() -> Self {
        Self::load(Vec::new(), &Limits::default(), 0)
    }
}

/// The bounds of a deployment.
#[derive(Clone, Copy, Debug, Default)]
struct Bounds {
    most: u64,
    call_ms: u64,
    give_up_ms: u64,
    at_once: usize,
}

/// A pending delivery.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) number: u64,
    attempts: u64,
    pub(crate) created_at: Timestamp,
    due_at: Timestamp,
    pub(crate) subject: Option<Place>,
    rounds: u64,
    /// Whether it may go out.
    pub(crate) is_released: bool,
    /// While an attempt is under way: the time when it counts as lost.
    pub(crate) under_way: Option<Timestamp>,
}

impl Waiting {
    /// The time of the next attempt.
    fn next(&self) -> Timestamp {
        match self.under_way {
            Some(lost_at) => lost_at,
            None if self.is_released => self.due_at,
            None => Timestamp::MAX,
        }
    }

    /// The delivery as its row has it.
    pub(crate) fn owed(&self, lane: &Lane) -> Owed {
        Owed {
            number: self.number,
            kind: lane.0,
            target: lane.1.clone(),
            attempts: self.attempts,
            created_at: self.created_at,
            due_at: self.due_at,
            dead_at: None,
            subject: self.subject,
            rounds: self.rounds,
        }
    }
}

impl Queue {
    /// The queue from its rows. Nothing is under way: an attempt ends with its process.
    /// `at_once` bounds the attempts in flight.
    pub(crate) fn load(rows: Vec<Owed>, limits: &Limits, at_once: usize) -> Self {
        let bounds = Bounds {
            most: limits.deliveries,
            call_ms: limits.delivery_ms,
            give_up_ms: limits.give_up_ms,
            at_once,
        };
        let mut queue = Self {
            lanes: Map::new(),
            dead: Vec::new(),
            last: 0,
            next: Timestamp::MAX,
            changes: 0,
            is_begun: false,
            bounds,
        };
        for owed in rows {
            queue.last = queue.last.max(owed.number);
            match owed.dead_at {
                Some(_) => queue.dead.push(owed),
                None => queue.push(owed),
            }
        }
        queue.reckon();
        queue
    }

    /// Rows of numbers up to a time may be gone: the next ones are later, even if the clock was
    /// put back since.
    pub(crate) fn number_after(&mut self, at: Timestamp) {
        let next = first_number(after(at, 1));
        self.last = self.last.max(next.saturating_sub(1));
    }

    pub(crate) fn push(&mut self, owed: Owed) {
        let needs = owed.kind.needs();
        let waiting = Waiting {
            number: owed.number,
            attempts: owed.attempts,
            created_at: owed.created_at,
            due_at: owed.due_at,
            subject: owed.subject,
            rounds: owed.rounds,
            is_released: needs.answer,
            under_way: None,
        };
        let apart = if needs.order { 0 } else { owed.number };
        let lane = self.lanes.or_default((owed.kind, owed.target, apart));
        lane.push_back(waiting);
    }

    /// Adds a delivery; `parcel` gets its number. Beyond the bound it becomes a dead letter at
    /// once. The `subject` waits to be taken, where one does.
    pub(crate) fn add(
        &mut self,
        now: Timestamp,
        kind: DeliveryKind,
        target: &str,
        subject: Option<Place>,
        parcel: impl FnOnce(u64) -> Parcel,
    ) -> Vec<DeliveryWrite> {
        self.add_for(now, now, kind, target, subject, parcel)
    }

    /// The same for a later time.
    pub(crate) fn add_for(
        &mut self,
        now: Timestamp,
        due_at: Timestamp,
        kind: DeliveryKind,
        target: &str,
        subject: Option<Place>,
        parcel: impl FnOnce(u64) -> Parcel,
    ) -> Vec<DeliveryWrite> {
        let number = next_number(now, self.last);
        self.last = number;
        // Files are bounded by their steps, and a dead letter would leave them behind.
        let is_full = self.bounds.most <= self.pending() && kind != DeliveryKind::File;
        let owed = Owed {
            number,
            kind,
            target: target.to_owned(),
            attempts: 0,
            created_at: now,
            due_at,
            dead_at: is_full.then_some(now),
            subject,
            rounds: 0,
        };
        if is_full {
            self.dead.push(owed.clone());
        } else {
            self.push(owed.clone());
            self.reckon();
        }
        let mut writes = vec![DeliveryWrite::Add {
            owed,
            reason: is_full.then(|| format!("{} are pending already", self.bounds.most)),
            parcel: parcel(number),
        }];
        writes.extend(self.forget_letters(now));
        writes
    }

    /// The number of pending deliveries.
    pub(crate) fn pending(&self) -> u64 {
        let waiting: usize = self.lanes.values().map(VecDeque::len).sum();
        u64::try_from(waiting).unwrap_or(u64::MAX)
    }

    /// Whether anything is pending for a target.
    pub(crate) fn owes(&self, kind: DeliveryKind, target: &str) -> bool {
        let mut lanes = self.lanes.keys();
        lanes.any(|(known, it, _)| *known == kind && it == target)
    }

    /// Whether there is no row at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.lanes.is_empty() && self.dead.is_empty()
    }

    fn heads(&self) -> impl Iterator<Item = (&Lane, &Waiting)> {
        let lanes = self.lanes.iter();
        lanes.filter_map(|(lane, pending)| Some((lane, pending.front()?)))
    }

    /// Begins the attempts that are due: of each lane the first delivery, the longest due first.
    pub(crate) fn start(&mut self, now: Timestamp) -> Vec<Started> {
        let mut started = Vec::new();
        if now < self.next {
            return started;
        }
        let until = after(now, self.bounds.call_ms.saturating_add(DELIVERY_SLACK_MS));
        self.lose(now);
        loop {
            let room = self.room();
            let heads = self.lanes.iter_mut();
            let heads = heads.filter_map(|(lane, pending)| Some((lane, pending.front_mut()?)));
            let due = heads.filter(|(lane, head)| head.next() <= now && room.is_for(lane));
            let longest = due.min_by_key(|(_, head)| (head.due_at, head.number));
            let Some(((kind, target, _), head)) = longest else {
                break;
            };
            head.under_way = Some(until);
            started.push(Started {
                number: head.number,
                kind: *kind,
                target: target.clone(),
                rounds: head.rounds,
            });
        }
        self.reckon();
        started
    }

    /// Attempts that count as lost are under way no more. There may be no room to begin them anew,
    /// and then they need no clock.
    fn lose(&mut self, now: Timestamp) {
        for head in self.lanes.values_mut().filter_map(VecDeque::front_mut) {
            head.under_way = head.under_way.filter(|lost_at| now < *lost_at);
        }
    }

    /// Takes the outcome of an attempt. That of an unknown delivery changes nothing. One that was
    /// accepted goes out again if it is not taken within `take_ms`.
    pub(crate) fn settle(
        &mut self,
        now: Timestamp,
        number: u64,
        outcome: &Outcome,
        take_ms: u64,
    ) -> Vec<DeliveryWrite> {
        let mut lanes = self.lanes.iter_mut();
        let found = lanes.find_map(|(lane, waiting)| {
            let head = waiting.front_mut().filter(|head| head.number == number);
            Some((lane.clone(), head?))
        });
        let Some((lane, head)) = found else {
            return Vec::new();
        };
        head.under_way = None;
        head.attempts += 1;
        let attempts = head.attempts;
        let needs = lane.0.needs();
        let give_up_at = match needs.end {
            true => after(head.created_at, self.bounds.give_up_ms),
            false => Timestamp::MAX,
        };
        let (reason, due_at) = match verdict(outcome) {
            Verdict::Taken if needs.answer => (None, None),
            Verdict::Taken if now < give_up_at => {
                head.rounds += 1;
                let wait = take_ms.max(wait_ms(number, head.rounds, None));
                (None, Some(after(now, wait)))
            }
            Verdict::Taken => (Some("it was accepted, and not taken".to_owned()), None),
            Verdict::Failed { reason, asked_ms } => {
                let failures = attempts.saturating_sub(head.rounds);
                let due_at = after(now, wait_ms(number, failures, asked_ms)).min(give_up_at);
                (Some(reason), (now < give_up_at).then_some(due_at))
            }
            Verdict::GivenUp { reason } => (Some(reason), None),
        };
        let reason = reason.map(|reason| reason.chars().take(REASON_LENGTH).collect());
        let write = match (due_at, reason) {
            (Some(due_at), reason) => {
                head.due_at = due_at;
                let owed = head.owed(&lane);
                self.reckon();
                return vec![DeliveryWrite::Again { owed, reason }];
            }
            (None, Some(reason)) => {
                let dead_at = Some(now);
                let owed = head.owed(&lane);
                let letter = owed.clone();
                self.dead.push(Owed { dead_at, ..letter });
                let at = now;
                DeliveryWrite::Bury { owed, at, reason }
            }
            (None, None) => DeliveryWrite::Forget { number },
        };
        self.pass(&lane);
        let mut writes = vec![write];
        writes.extend(self.forget_letters(now));
        writes
    }

    /// Removes the first delivery of a lane.
    fn pass(&mut self, lane: &Lane) {
        if let Some(waiting) = self.lanes.get_mut(lane) {
            waiting.pop_front();
            if waiting.is_empty() {
                self.lanes.remove(lane);
            }
        }
        self.reckon();
    }

    /// Forgets dead letters beyond their number and age.
    pub(crate) fn forget_letters(&mut self, now: Timestamp) -> Vec<DeliveryWrite> {
        let excess = self.dead.len().saturating_sub(DEAD_LETTERS_MAX);
        let (mut index, mut writes) = (0, Vec::new());
        self.dead.retain(|letter| {
            index += 1;
            let is_kept = excess < index && now < forgotten_at(letter);
            if !is_kept {
                let number = letter.number;
                writes.push(DeliveryWrite::Forget { number });
            }
            is_kept
        });
        writes
    }

    /// The time of the next attempt, or of the next dead letter to forget.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let letters = self.dead.iter().map(forgotten_at);
        let next = Some(self.next).filter(|next| *next < Timestamp::MAX);
        next.into_iter().chain(letters).min()
    }

    /// Computes the time of the next attempt again.
    pub(crate) fn reckon(&mut self) {
        self.changes += 1;
        // While all calls are taken, the rest needs no clock: an outcome starts it.
        let room = self.room();
        let heads = self.heads();
        let due = heads.filter(|(lane, head)| head.under_way.is_some() || room.is_for(lane));
        let next = due.map(|(_, head)| head.next()).min();
        self.next = next.unwrap_or(Timestamp::MAX);
    }

    /// The room for more attempts beside those under way.
    fn room(&self) -> Room {
        let heads = self.heads();
        let busy = heads.filter(|(_, head)| head.under_way.is_some());
        let (mut all, mut apart) = (0, 0);
        for ((.., number), _) in busy {
            all += 1;
            apart += usize::from(0 < *number);
        }
        let at_once = self.bounds.at_once;
        let has_ordered = self.lanes.keys().any(|(.., number)| *number == 0);
        Room {
            any: all < at_once,
            // One call is left to those that go in order, where there are any.
            apart: all < at_once && (apart < at_once.saturating_sub(1) || !has_ordered),
        }
    }
}

/// The room for another attempt.
struct Room {
    /// At anything.
    any: bool,
    /// At a delivery that goes by itself: there may be many, and they may all be slow.
    apart: bool,
}

impl Room {
    fn is_for(&self, lane: &Lane) -> bool {
        if lane.2 == 0 { self.any } else { self.apart }
    }
}

/// The time after which a dead letter is forgotten.
fn forgotten_at(letter: &Owed) -> Timestamp {
    after(letter.dead_at.unwrap_or(letter.created_at), DEAD_LETTER_MS)
}

/// A delivery whose attempt begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Started {
    pub(crate) number: u64,
    pub(crate) kind: DeliveryKind,
    pub(crate) target: String,
    pub(crate) rounds: u64,
}

/// The queue's reading of an outcome.
enum Verdict {
    Taken,
    Failed {
        reason: String,
        asked_ms: Option<u64>,
    },
    GivenUp {
        reason: String,
    },
}

fn verdict(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Answered { status, .. } if (200..300).contains(status) => Verdict::Taken,
        Outcome::Answered { status: GONE, .. } => Verdict::GivenUp {
            reason: "it wants nothing more (410)".to_owned(),
        },
        Outcome::Answered {
            status,
            retry_after_ms,
        } => Verdict::Failed {
            reason: format!("it answered {status}"),
            asked_ms: *retry_after_ms,
        },
        Outcome::Failed { reason } => Verdict::Failed {
            reason: reason.clone(),
            asked_ms: None,
        },
        Outcome::Refused { reason } => Verdict::GivenUp {
            reason: reason.clone(),
        },
    }
}
